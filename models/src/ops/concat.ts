import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

/**
 * The channels of two tensors side by side: the connection of DenseNet (Huang et al. 2017, eq. 2).
 *
 *   y = [a, b]        ∂L/∂a = the first channels of ∂L/∂y        ∂L/∂b = the others
 *
 * @param a [..., aChannels]  @param b [..., bChannels], the other axes as in a
 * @returns [..., aChannels + bChannels]
 * @throws InputError when other axes differ
 */
export const concat: Op<{ a: tf.Tensor; b: tf.Tensor }, object> = differentiable("Concat", {
  saved: ["a", "b"],
  gradients: ["a", "b"],

  forward({ a, b }: { a: tf.Tensor; b: tf.Tensor }) {
    if (a.rank === 0 || !tf.util.arraysEqual(a.shape.slice(0, -1), b.shape.slice(0, -1))) {
      throw new InputError(
        `concat got shapes [${a.shape}] and [${b.shape}]; expected two that differ in the last axis only`,
      );
    }
    return { output: tf.concat([a, b], -1), saved: { a, b } };
  },

  backward(dy, { a, b }) {
    const start = a.shape.map((_, axis) => (axis === a.rank - 1 ? a.shape[axis] : 0));
    return {
      a: () =>
        tf.slice(
          dy,
          a.shape.map(() => 0),
          a.shape,
        ), // [..., aChannels]
      b: () => tf.slice(dy, start, b.shape), // [..., bChannels]
    };
  },
});
