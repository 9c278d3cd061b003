import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";
import { sumToLastAxis } from "./sum-to-last-axis.ts";

export type LayerNormInputs = { x: tf.Tensor; gamma: tf.Tensor; beta: tf.Tensor };
export interface LayerNormAttrs {
  /** added to the variance */
  epsilon?: number;
}

/**
 * Layer normalisation over the last axis (Ba, Kiros & Hinton 2016, eq. 4).
 *
 *   x̂ = (x − μ) / √(σ² + ε)        y = γ x̂ + β
 *
 * Backward, with g = γ ∂L/∂y and means over the last axis:
 *
 *   ∂L/∂x = (g − mean(g) − x̂ mean(g x̂)) / √(σ² + ε)
 *   ∂L/∂γ = Σ x̂ ∂L/∂y              ∂L/∂β = Σ ∂L/∂y          (Σ over all other axes)
 *
 * @param x [..., d]  @param gamma [d]  @param beta [d]
 * @returns [..., d]
 */
export const layerNorm: Op<LayerNormInputs, LayerNormAttrs> = differentiable("LayerNorm", {
  saved: ["x", "mean", "invStd", "gamma"],
  gradients: ["x", "gamma", "beta"],

  forward({ x, gamma, beta }: LayerNormInputs, { epsilon = 1e-5 }: LayerNormAttrs) {
    const mean = tf.mean(x, -1, true); // [..., 1]
    const centred = tf.sub(x, mean); // [..., d]
    const variance = tf.mean(tf.square(centred), -1, true); // [..., 1]
    const invStd = tf.rsqrt(tf.add(variance, epsilon)); // [..., 1]
    const output = tf.add(tf.mul(tf.mul(centred, invStd), gamma), beta); // [..., d]
    return { output, saved: { x, mean, invStd, gamma } };
  },

  backward(dy, { x, mean, invStd, gamma }) {
    const normalised = tf.mul(tf.sub(x, mean), invStd); // [..., d]
    const g = tf.mul(dy, gamma); // [..., d]
    const along = tf.mul(normalised, tf.mean(tf.mul(g, normalised), -1, true)); // [..., d]
    return {
      x: tf.mul(invStd, tf.sub(tf.sub(g, tf.mean(g, -1, true)), along)), // [..., d]
      gamma: sumToLastAxis(tf.mul(dy, normalised)), // [d]
      beta: sumToLastAxis(dy), // [d]
    };
  },
});
