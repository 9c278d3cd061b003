import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

/**
 * Logistic sigmoid.
 *
 *   y = 1 / (1 + e⁻ˣ)        ∂L/∂x = y (1 − y) ∂L/∂y
 *
 * Only y is kept. A loss of σ(x) is better taken from x itself: see `sigmoidCrossEntropy`.
 *
 * @param x any shape
 * @returns the shape of x, each in (0, 1)
 */
export const sigmoid: Op<{ x: tf.Tensor }, object> = differentiable("Sigmoid", {
  saved: ["y"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }) {
    const y = tf.sigmoid(x);
    return { output: y, saved: { y } };
  },

  backward(dy, { y }) {
    return { x: tf.mul(dy, tf.mul(y, tf.sub(1, y))) };
  },
});
