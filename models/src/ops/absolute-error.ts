import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";
import { expectOneShape, type ReductionAttrs, reduced, reducedGradient } from "./reduction.ts";
import type { ErrorInputs } from "./squared-error.ts";

/**
 * Absolute error.
 *
 *   L = |x − t|        ∂L/∂x = sign(x − t) = −∂L/∂t
 *
 * The gradient at 0 is 0.
 *
 * @param prediction x, any shape  @param target t, the same shape
 * @returns []; [batch] for `each`, and the shape of x where nothing is reduced
 * @throws InputError when the shapes differ
 */
export const absoluteError: Op<ErrorInputs, ReductionAttrs> = differentiable("AbsoluteError", {
  saved: ["difference"],
  gradients: ["prediction", "target"],

  forward({ prediction, target }: ErrorInputs, { reduction }: ReductionAttrs) {
    expectOneShape("absoluteError", { prediction, target });
    const difference = tf.sub(prediction, target);
    return { output: reduced(tf.abs(difference), reduction), saved: { difference } };
  },

  backward(dy, { difference }, { reduction }) {
    const change = () => tf.mul(tf.sign(difference), reducedGradient(dy, difference, reduction));
    return { prediction: change, target: () => tf.neg(change()) };
  },
});
