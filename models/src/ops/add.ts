import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

/**
 * Sum of two tensors of one shape: the residual connection of He et al. 2016, eq. 1.
 *
 *   y = a + b        ∂L/∂a = ∂L/∂b = ∂L/∂y
 *
 * @param a any shape  @param b the shape of a
 * @returns the shape of a
 * @throws InputError when the shapes differ
 */
export const add: Op<{ a: tf.Tensor; b: tf.Tensor }, object> = differentiable("Add", {
  gradients: ["a", "b"],

  forward({ a, b }: { a: tf.Tensor; b: tf.Tensor }) {
    if (!tf.util.arraysEqual(a.shape, b.shape)) {
      throw new InputError(`add got shapes [${a.shape}] and [${b.shape}]; expected two equal ones`);
    }
    return { output: tf.add(a, b), saved: {} };
  },

  backward(dy) {
    return { a: dy, b: dy };
  },
});
