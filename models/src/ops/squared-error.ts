import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";
import { expectOneShape, type ReductionAttrs, reduced, reducedGradient } from "./reduction.ts";

/** A prediction and what it should have been; both have gradients. */
export type ErrorInputs = { prediction: tf.Tensor; target: tf.Tensor };

/**
 * Squared error.
 *
 *   L = (x − t)²        ∂L/∂x = 2 (x − t) = −∂L/∂t
 *
 * @param prediction x, any shape  @param target t, the same shape
 * @returns []; [batch] for `each`, and the shape of x where nothing is reduced
 * @throws InputError when the shapes differ
 */
export const squaredError: Op<ErrorInputs, ReductionAttrs> = differentiable("SquaredError", {
  saved: ["difference"],
  gradients: ["prediction", "target"],

  forward({ prediction, target }: ErrorInputs, { reduction }: ReductionAttrs) {
    expectOneShape("squaredError", { prediction, target });
    const difference = tf.sub(prediction, target);
    return { output: reduced(tf.square(difference), reduction), saved: { difference } };
  },

  backward(dy, { difference }, { reduction }) {
    const change = () => tf.mul(difference, tf.mul(reducedGradient(dy, difference, reduction), 2));
    return { prediction: change, target: () => tf.neg(change()) };
  },
});
