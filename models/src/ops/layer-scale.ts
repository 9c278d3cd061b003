import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";
import { sumToLastAxis } from "./sum-to-last-axis.ts";

export type LayerScaleInputs = { x: tf.Tensor; gamma: tf.Tensor };

/**
 * A factor for each channel (Touvron et al. 2021, "Going deeper with image transformers", sec. 2, eq. 4).
 *
 *   y = γ x        ∂L/∂x = γ ∂L/∂y        ∂L/∂γ = Σ x ∂L/∂y        (Σ over all axes but the last)
 *
 * @param x [..., d]  @param gamma [d]
 * @returns [..., d]
 */
export const layerScale: Op<LayerScaleInputs, object> = differentiable("LayerScale", {
  saved: ["x", "gamma"],
  gradients: ["x", "gamma"],

  forward({ x, gamma }: LayerScaleInputs) {
    return { output: tf.mul(x, gamma), saved: { x, gamma } };
  },

  backward(dy, { x, gamma }) {
    return {
      x: tf.mul(dy, gamma), // [..., d]
      gamma: () => sumToLastAxis(tf.mul(x, dy)), // [d]
    };
  },
});
