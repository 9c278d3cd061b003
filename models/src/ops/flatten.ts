import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

/**
 * Images as vectors, channel by channel as in PyTorch, so that the weights of the dense layer after it are PyTorch's.
 *
 *   y[n, (c · height + i) · width + j] = x[n, i, j, c]
 *
 * Backward: the same permutation, undone.
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, channels · height · width]
 */
export const flatten: Op<{ x: tf.Tensor }, object> = differentiable("Flatten", {
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }) {
    const planes = x.shape[3] === 1 ? x : tf.transpose(x, [0, 3, 1, 2]); // [batch, channels, height, width]
    return { output: tf.reshape(planes, [x.shape[0], -1]), saved: { x } };
  },

  backward(dy, { x }) {
    const [batch, height, width, channels] = x.shape;
    if (channels === 1) return { x: tf.reshape(dy, x.shape) };
    return { x: tf.transpose(tf.reshape(dy, [batch, channels, height, width]), [0, 2, 3, 1]) };
  },
});
