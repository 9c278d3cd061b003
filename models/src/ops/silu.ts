import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

/**
 * Sigmoid linear unit, also called swish (Hendrycks & Gimpel 2016, sec. 2; Elfwing, Uchibe & Doya 2018, eq. 5 and 6).
 *
 *   y = x σ(x)        ∂L/∂x = σ(x) (1 + x (1 − σ(x))) ∂L/∂y        σ(x) = 1 / (1 + e⁻ˣ)
 *
 * @param x any shape
 * @returns the shape of x
 */
export const silu: Op<{ x: tf.Tensor }, object> = differentiable("Silu", {
  saved: ["x"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }) {
    return { output: tf.mul(x, tf.sigmoid(x)), saved: { x } };
  },

  backward(dy, { x }) {
    const s = tf.sigmoid(x);
    const slope = tf.mul(s, tf.add(tf.mul(x, tf.sub(1, s)), 1));
    return { x: tf.mul(dy, slope) };
  },
});
