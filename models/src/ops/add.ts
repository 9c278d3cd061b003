import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import type { Activation } from "./batch-norm.ts";
import { differentiable, type Op } from "./differentiable.ts";

export interface AddAttrs {
  /** what is done to the sum: nothing, or max(y, 0) in the same pass over memory */
  activation?: Activation;
}

/**
 * Sum of two tensors of one shape: the residual connection of He et al. 2016, eq. 1.
 *
 *   y = a + b                ∂L/∂a = ∂L/∂b = ∂L/∂y
 *   y = max(a + b, 0)        ∂L/∂a = ∂L/∂b = ∂L/∂y [y > 0]
 *
 * @param a any shape  @param b the shape of a
 * @returns the shape of a
 * @throws InputError when the shapes differ
 */
export const add: Op<{ a: tf.Tensor; b: tf.Tensor }, AddAttrs> = differentiable("Add", {
  saved: ["y"],
  gradients: ["a", "b"],

  forward({ a, b }: { a: tf.Tensor; b: tf.Tensor }, { activation }: AddAttrs) {
    if (!tf.util.arraysEqual(a.shape, b.shape)) {
      throw new InputError(`add got shapes [${a.shape}] and [${b.shape}]; expected two equal ones`);
    }
    const y = activation === "relu" ? tf.relu(tf.add(a, b)) : tf.add(a, b);
    return { output: y, saved: { y } };
  },

  backward(dy, { y }, { activation }) {
    const dz = activation === "relu" ? tf.mul(dy, tf.step(y)) : dy;
    return { a: dz, b: tf.clone(dz) };
  },
});
