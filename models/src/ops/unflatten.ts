import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

export interface UnflattenAttrs {
  /** [height, width, channels] of what comes out */
  shape: readonly [height: number, width: number, channels: number];
}

/**
 * Vectors as images, channel by channel as in PyTorch: `flatten`, undone.
 *
 *   y[n, i, j, c] = x[n, (c · height + i) · width + j]
 *
 * Backward: the same permutation, undone.
 *
 * @param x [batch, channels · height · width]
 * @returns [batch, height, width, channels]
 * @throws InputError when a vector has another length
 */
export const unflatten: Op<{ x: tf.Tensor }, UnflattenAttrs> = differentiable("Unflatten", {
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, { shape: [height, width, channels] }: UnflattenAttrs) {
    if (x.rank !== 2 || x.shape[1] !== channels * height * width) {
      throw new InputError(
        `unflatten got [${x.shape}] for images of ${height}x${width}x${channels}; expected [batch, ${channels * height * width}]`,
      );
    }
    if (channels === 1) return { output: tf.reshape(x, [-1, height, width, 1]), saved: { x } };
    const planes = tf.reshape(x, [-1, channels, height, width]); // [batch, channels, height, width]
    return { output: tf.transpose(planes, [0, 2, 3, 1]), saved: { x } };
  },

  backward(dy, { x }) {
    const planes = dy.shape[3] === 1 ? dy : tf.transpose(dy, [0, 3, 1, 2]); // [batch, channels, height, width]
    return { x: tf.reshape(planes, x.shape) };
  },
});
