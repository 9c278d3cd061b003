import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";
import { sumToLastAxis } from "./sum-to-last-axis.ts";

export type RmsNormInputs = { x: tf.Tensor; gamma: tf.Tensor };
export interface RmsNormAttrs {
  /** added to the mean square */
  epsilon?: number;
}

/**
 * Root mean square normalisation over the last axis (Zhang & Sennrich 2019, eq. 4): a layer norm that neither takes the
 * mean off nor adds a bias, as T5 has it (Raffel et al. 2020, sec. 2.1).
 *
 *   x̂ = x / √(mean(x²) + ε)        y = γ x̂
 *
 * Backward, with g = γ ∂L/∂y and the mean over the last axis:
 *
 *   ∂L/∂x = (g − x̂ mean(g x̂)) / √(mean(x²) + ε)        ∂L/∂γ = Σ x̂ ∂L/∂y over all other axes
 *
 * @param x [..., d]  @param gamma [d]
 * @returns [..., d]
 */
export const rmsNorm: Op<RmsNormInputs, RmsNormAttrs> = differentiable("RmsNorm", {
  saved: ["x", "invRms", "gamma"],
  gradients: ["x", "gamma"],

  forward({ x, gamma }: RmsNormInputs, { epsilon = 1e-6 }: RmsNormAttrs) {
    const invRms = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon)); // [..., 1]
    return { output: tf.mul(tf.mul(x, invRms), gamma), saved: { x, invRms, gamma } };
  },

  backward(dy, { x, invRms, gamma }) {
    const normalised = tf.mul(x, invRms); // [..., d]
    const g = tf.mul(dy, gamma); // [..., d]
    const along = tf.mul(normalised, tf.mean(tf.mul(g, normalised), -1, true)); // [..., d]
    return {
      x: tf.mul(invRms, tf.sub(g, along)), // [..., d]
      gamma: sumToLastAxis(tf.mul(dy, normalised)), // [d]
    };
  },
});
