import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";
import { expectOneShape, type ReductionAttrs, reduced, reducedGradient } from "./reduction.ts";
import type { ErrorInputs } from "./squared-error.ts";

export interface HuberLossAttrs extends ReductionAttrs {
  /** δ, from where on an error counts by its size and no longer by its square */
  delta?: number;
}

/**
 * Huber's loss (1964): half the squared error up to δ, and a line beyond it. With d = x − t:
 *
 *   L = d² / 2 where |d| ≤ δ, δ (|d| − δ / 2) elsewhere        ∂L/∂x = max(−δ, min(d, δ)) = −∂L/∂t
 *
 * With q = min(|d|, δ) both are q (|d| − q / 2).
 *
 * @param prediction x, any shape  @param target t, the same shape
 * @returns []; [batch] for `each`, and the shape of x where nothing is reduced
 * @throws InputError when the shapes differ
 */
export const huberLoss: Op<ErrorInputs, HuberLossAttrs> = differentiable("HuberLoss", {
  saved: ["difference"],
  gradients: ["prediction", "target"],

  forward({ prediction, target }: ErrorInputs, { delta = 1, reduction }: HuberLossAttrs) {
    expectOneShape("huberLoss", { prediction, target });
    const difference = tf.sub(prediction, target);
    const size = tf.abs(difference);
    const q = tf.minimum(size, delta);
    const losses = tf.mul(q, tf.sub(size, tf.mul(q, 0.5)));
    return { output: reduced(losses, reduction), saved: { difference } };
  },

  backward(dy, { difference }, { delta = 1, reduction }) {
    const change = () => tf.mul(tf.clipByValue(difference, -delta, delta), reducedGradient(dy, difference, reduction));
    return { prediction: change, target: () => tf.neg(change()) };
  },
});
