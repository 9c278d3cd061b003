import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export interface GeluAttrs {
  /** `tanh`: not the normal distribution but what comes near it, as in GPT-2 and Google's BERT */
  approximation?: "none" | "tanh";
}

/**
 * Gaussian error linear unit (Hendrycks & Gimpel 2016, eq. 1 and 2).
 *
 *   y = x Φ(x)        ∂L/∂x = (Φ(x) + x φ(x)) ∂L/∂y
 *
 * With the normal distribution itself:
 *
 *   Φ(x) = (1 + erf(x / √2)) / 2        φ(x) = exp(−x² / 2) / √(2π)
 *
 * and in the approximation, with u = √(2/π) (x + 0.044715 x³):
 *
 *   Φ(x) = (1 + tanh u) / 2             φ(x) = (1 − tanh² u) / 2 · √(2/π) (1 + 0.134145 x²)
 *
 * @param x any shape
 * @returns the shape of x
 */
export const gelu: Op<{ x: tf.Tensor }, GeluAttrs> = differentiable("Gelu", {
  saved: ["x"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, { approximation = "none" }: GeluAttrs) {
    return { output: tf.mul(x, cumulative[approximation](x)), saved: { x } };
  },

  backward(dy, { x }, { approximation = "none" }) {
    const slope = tf.add(cumulative[approximation](x), tf.mul(x, density[approximation](x)));
    return { x: tf.mul(dy, slope) };
  },
});

const half = (x: tf.Tensor): tf.Tensor => tf.mul(tf.add(x, 1), 0.5);

/** √(2/π), and what stands before the cube */
const [k, c] = [Math.sqrt(2 / Math.PI), 0.044715];

/** tanh u */
const tanhU = (x: tf.Tensor): tf.Tensor => tf.tanh(tf.mul(tf.mul(x, k), tf.add(tf.mul(tf.square(x), c), 1)));

/** Φ(x) */
const cumulative = {
  none: (x: tf.Tensor): tf.Tensor => half(tf.erf(tf.mul(x, Math.SQRT1_2))),
  tanh: (x: tf.Tensor): tf.Tensor => half(tanhU(x)),
};

/** φ(x) */
const density = {
  none: (x: tf.Tensor): tf.Tensor => tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI)),
  tanh: (x: tf.Tensor): tf.Tensor =>
    tf.mul(tf.sub(1, tf.square(tanhU(x))), tf.mul(tf.add(tf.mul(tf.square(x), 3 * c), 1), k / 2)),
};
