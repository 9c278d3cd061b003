import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export type SpectralNormInputs = { weight: tf.Tensor; u: tf.Tensor; v: tf.Tensor };

/**
 * A weight divided by its largest singular value, as that of the matrix W [n, out] that it is with its last axis apart
 * (Miyato et al. 2018, eq. 8). With W's singular vectors u and v, which `powerIteration` comes near:
 *
 *   σ = vᵀ W u        W̄ = W / σ
 *
 * Backward (eq. 12), with u and v as they are:
 *
 *   ∂L/∂W = (∂L/∂W̄ − (Σ ∂L/∂W̄ ⊙ W̄) v uᵀ) / σ
 *
 * @param weight [..., out], n numbers for each output  @param u [out]  @param v [n]; neither has a gradient
 * @returns [..., out]
 */
export const spectralNorm: Op<SpectralNormInputs, object> = differentiable("SpectralNorm", {
  saved: ["normalised", "sigma", "u", "v"],
  gradients: ["weight"],

  forward({ weight, u, v }: SpectralNormInputs) {
    const sigma = tf.sum(tf.mul(product(matrix(weight), u), v)); // []
    const normalised = tf.div(weight, sigma); // [..., out]
    return { output: normalised, saved: { normalised, sigma, u, v } };
  },

  backward(dy, { normalised, sigma, u, v }) {
    const lambda = tf.sum(tf.mul(dy, normalised)); // []
    const outer = tf.mul(tf.expandDims(v, 1), tf.expandDims(u, 0)); // [n, out]
    return { weight: tf.div(tf.sub(dy, tf.mul(tf.reshape(outer, dy.shape), lambda)), sigma) }; // [..., out]
  },
});

/**
 * One step towards the largest singular value's vectors (Miyato et al. 2018, algorithm 1); not to be differentiated.
 *
 *   v ← W u / ‖W u‖        u ← Wᵀ v / ‖Wᵀ v‖
 *
 * @param weight [..., out]  @param u [out]
 * @returns u [out] and v [n]
 */
export function powerIteration(weight: tf.Tensor, u: tf.Tensor): { u: tf.Tensor; v: tf.Tensor } {
  return tf.tidy(() => {
    const W = matrix(weight); // [n, out]
    const v = unit(product(W, u)); // [n]
    return { v, u: unit(product(tf.transpose(W), v)) }; // [out]
  });
}

/** [n, out] */
const matrix = (weight: tf.Tensor): tf.Tensor => tf.reshape(weight, [-1, weight.shape.at(-1) as number]);

/** W x: [rows, columns], [columns] -> [rows] */
const product = (W: tf.Tensor, x: tf.Tensor): tf.Tensor =>
  tf.reshape(tf.matMul(W as tf.Tensor2D, tf.expandDims(x, 1) as tf.Tensor2D), [-1]);

const unit = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.add(tf.sqrt(tf.sum(tf.square(x))), 1e-12));
