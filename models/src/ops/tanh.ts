import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

/**
 * Hyperbolic tangent.
 *
 *   y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)        ∂L/∂x = (1 − y²) ∂L/∂y
 *
 * Only y is kept.
 *
 * @param x any shape
 * @returns the shape of x, each in (−1, 1)
 */
export const tanh: Op<{ x: tf.Tensor }, object> = differentiable("Tanh", {
  saved: ["y"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }) {
    const y = tf.tanh(x);
    return { output: y, saved: { y } };
  },

  backward(dy, { y }) {
    return { x: tf.mul(dy, tf.sub(1, tf.square(y))) };
  },
});
