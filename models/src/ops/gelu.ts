import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

/**
 * Gaussian error linear unit (Hendrycks & Gimpel 2016, eq. 1), with the normal distribution itself.
 *
 *   y = x Φ(x)        ∂L/∂x = (Φ(x) + x φ(x)) ∂L/∂y
 *
 *   Φ(x) = (1 + erf(x / √2)) / 2        φ(x) = exp(−x² / 2) / √(2π)
 *
 * @param x any shape
 * @returns the shape of x
 */
export const gelu: Op<{ x: tf.Tensor }, object> = differentiable("Gelu", {
  saved: ["x"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }) {
    return { output: tf.mul(x, cumulative(x)), saved: { x } };
  },

  backward(dy, { x }) {
    const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return { x: tf.mul(dy, tf.add(cumulative(x), tf.mul(x, density))) };
  },
});

/** Φ(x) */
const cumulative = (x: tf.Tensor): tf.Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
