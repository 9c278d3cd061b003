import * as tf from "@tensorflow/tfjs-core";
import { type ConvAttrs, convInfo } from "../conv-info.ts";
import { registerWasm } from "./backend.ts";
import { fit, spread, tensors } from "./window.ts";

/**
 * Gradient of a depthwise convolution for the images, with m filters for each channel:
 *
 *   ∂L/∂x[n, a, b, c] = Σ_{u,v,q : a = s i + d u − p, b = s j + d v − p} ∂L/∂y[n, i, j, m c + q] w[u, v, c, q]
 *
 * As for the dense convolution, ∂L/∂y with zeros between its pixels is convolved with the filter turned half round,
 * here channel by channel; the m shares of each channel are then added up.
 */
export function registerDepthwiseConv2DBackpropInput(): void {
  registerWasm<ConvAttrs & { inputShape: number[] }>(tf.DepthwiseConv2dNativeBackpropInput, ({ inputs, attrs }) =>
    tf.tidy(() => {
      const { dy, filter } = tensors<"dy" | "filter">(inputs);
      const info = convInfo(attrs.inputShape, filter.shape, attrs, true);
      const { strideHeight, strideWidth, effectiveFilterHeight, effectiveFilterWidth } = info;
      const [filterHeight, filterWidth, channels, multiplier] = filter.shape;
      const top = effectiveFilterHeight - 1 - info.padInfo.top;
      const left = effectiveFilterWidth - 1 - info.padInfo.left;
      const images = fit(spread(dy, strideHeight, strideWidth), {
        top,
        left,
        bottom: info.inHeight + effectiveFilterHeight - 1 - top - info.outHeight * strideHeight,
        right: info.inWidth + effectiveFilterWidth - 1 - left - info.outWidth * strideWidth,
      });
      const turned = tf.reshape(tf.reverse(filter, [0, 1]), [filterHeight, filterWidth, channels * multiplier, 1]);
      const shares: tf.Tensor = tf
        .engine()
        .runKernel(
          tf.DepthwiseConv2dNative,
          { x: images.x, filter: turned },
          { strides: 1, pad: images.pad, dilations: [info.dilationHeight, info.dilationWidth] },
        ); // [batch, inHeight, inWidth, channels · multiplier]
      if (multiplier === 1) return shares;
      const byChannel = tf.reshape(shares, [-1, channels, multiplier]);
      return tf.reshape(tf.sum(byChannel, 2), attrs.inputShape);
    }),
  );
}
