import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

/**
 * The mean of every channel over the image (Lin et al. 2014, "Network in network", sec. 3.2).
 *
 *   y[n, c] = (1 / height width) Σ_{i,j} x[n, i, j, c]        ∂L/∂x[n, i, j, c] = ∂L/∂y[n, c] / (height width)
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, channels]
 */
export const globalAvgPool2d: Op<{ x: tf.Tensor }, object> = differentiable("GlobalAvgPool2D", {
  saved: ["x"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }) {
    return { output: tf.mean(x, [1, 2]), saved: { x } };
  },

  backward(dy, { x }) {
    const [batch, height, width, channels] = x.shape;
    const share = tf.reshape(tf.div(dy, height * width), [batch, 1, 1, channels]);
    return { x: tf.broadcastTo(share, x.shape) }; // [batch, height, width, channels]
  },
});
