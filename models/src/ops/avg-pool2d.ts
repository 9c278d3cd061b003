import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op, runKernel } from "./differentiable.ts";
import { type Pool2DAttrs, padded2d, stockPool, unpadded2d } from "./max-pool2d.ts";

/**
 * The mean of every window of k × k pixels (LeCun et al. 1998, "sub-sampling"); padded zeros count, as in PyTorch.
 *
 *   y[n, i, j, c] = (1 / k²) Σ_{u,v} x[n, s i + u − p, s j + v − p, c]
 *
 * Backward: each position gets 1 / k² of the gradient of every window that it is in.
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, outHeight, outWidth, channels]
 * @throws InputError when the window does not fit
 */
export const avgPool2d: Op<{ x: tf.Tensor }, Pool2DAttrs> = differentiable("AvgPool2D", {
  saved: ["x"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, attrs: Pool2DAttrs) {
    const padded = padded2d(x, attrs, 0); // [batch, height + 2p, width + 2p, channels]
    return { output: runKernel(tf.AvgPool, { x: padded }, stockPool(attrs))[0], saved: { x } };
  },

  backward(dy, { x }, attrs) {
    return {
      x: () => {
        const padded = padded2d(x, attrs, 0);
        const gradient = runKernel(tf.AvgPoolGrad, { dy, input: padded }, stockPool(attrs))[0];
        return unpadded2d(gradient, x, attrs); // [batch, height, width, channels]
      },
    };
  },
});
