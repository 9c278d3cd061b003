import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export type BatchNormInputs = {
  x: tf.Tensor;
  gamma: tf.Tensor;
  beta: tf.Tensor;
  runningMean: tf.Tensor;
  runningVariance: tf.Tensor;
};
export interface BatchNormAttrs {
  /** added to the variance */
  epsilon?: number;
  /** weight of the batch in the new running statistics, as in PyTorch (Keras's momentum is 1 minus it) */
  momentum?: number;
  /** what is done to y: nothing, or max(y, 0) in the same pass over memory */
  activation?: Activation;
}

/** y = max(z, 0), or y = z. */
export type Activation = "relu" | undefined;

const activate = (z: tf.Tensor, activation: Activation): tf.Tensor => (activation === "relu" ? tf.relu(z) : z);

/** ∂L/∂z from ∂L/∂y, where z = γ x̂ + β: with a ReLU, 0 where z is not positive. */
function deactivate(dy: tf.Tensor, normalised: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, activation: Activation) {
  if (activation === undefined) return dy;
  const z = tf.add(tf.mul(normalised, gamma), beta); // [..., channels]
  return tf.mul(dy, tf.step(z)); // [..., channels]
}

/** All axes but the last. */
const reducedAxes = (x: tf.Tensor): number[] => x.shape.slice(1).map((_, axis) => axis);

/**
 * Batch normalisation in training (Ioffe & Szegedy 2015, algorithm 1): statistics of this batch, a channel at a time.
 *
 *   μ = mean(x)    σ² = mean((x − μ)²)    x̂ = (x − μ) / √(σ² + ε)    y = γ x̂ + β
 *
 * Backward (their section 3, with the three terms of ∂L/∂x collected), means and sums over all axes but the last:
 *
 *   ∂L/∂x = γ (∂L/∂y − mean(∂L/∂y) − x̂ mean(x̂ ∂L/∂y)) / √(σ² + ε)
 *   ∂L/∂γ = Σ x̂ ∂L/∂y              ∂L/∂β = Σ ∂L/∂y
 *
 * The running statistics move by `momentum` towards the batch's; the running variance takes the unbiased estimate
 * σ² n / (n − 1), as in PyTorch. They carry no gradient.
 *
 * @param x [..., channels]  @param gamma [channels]  @param beta [channels]
 * @param runningMean [channels]  @param runningVariance [channels]
 * @returns `all`: [y [..., channels], new running mean, new running variance, the batch's mean, its variance, all
 *   [channels]]
 */
export const batchNormTraining: Op<BatchNormInputs, BatchNormAttrs> = differentiable("BatchNormTraining", {
  saved: ["x", "gamma", "beta", "mean", "variance"],
  gradients: ["x", "gamma", "beta"],
  outputs: 5,

  forward(
    { x, gamma, beta, runningMean, runningVariance }: BatchNormInputs,
    { epsilon = 1e-5, momentum = 0.1, activation }: BatchNormAttrs,
  ) {
    const axes = reducedAxes(x);
    const count = x.size / gamma.size;
    const mean = tf.mean(x, axes); // [channels]
    const centred = tf.sub(x, mean); // [..., channels]
    const variance = tf.mean(tf.square(centred), axes); // [channels]
    const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, epsilon))); // [channels]
    const unbiased = tf.mul(variance, count / Math.max(count - 1, 1)); // [channels]
    return {
      output: [
        activate(tf.add(tf.mul(centred, scale), beta), activation), // [..., channels]
        tf.add(tf.mul(runningMean, 1 - momentum), tf.mul(mean, momentum)), // [channels]
        tf.add(tf.mul(runningVariance, 1 - momentum), tf.mul(unbiased, momentum)), // [channels]
        mean,
        variance,
      ],
      saved: { x, gamma, beta, mean, variance },
    };
  },

  backward(dy, { x, gamma, beta, mean, variance }, { epsilon = 1e-5, activation }) {
    const axes = reducedAxes(x);
    const invStd = tf.rsqrt(tf.add(variance, epsilon)); // [channels]
    const normalised = tf.mul(tf.sub(x, mean), invStd); // [..., channels]
    const dz = deactivate(dy, normalised, gamma, beta, activation); // [..., channels]
    const dbeta = tf.sum(dz, axes); // [channels]
    const dgamma = tf.sum(tf.mul(dz, normalised), axes); // [channels]
    const perElement = gamma.size / x.size;
    const along = tf.add(tf.mul(normalised, tf.mul(dgamma, perElement)), tf.mul(dbeta, perElement)); // [..., channels]
    return {
      x: tf.mul(tf.sub(dz, along), tf.mul(gamma, invStd)), // [..., channels]
      gamma: dgamma,
      beta: dbeta,
    };
  },
});

/**
 * Batch normalisation in inference (Ioffe & Szegedy 2015, algorithm 2): an affine map with the running statistics.
 *
 *   x̂ = (x − μ) / √(σ² + ε)        y = γ x̂ + β
 *
 * Backward (what fine-tuning with frozen statistics needs); μ and σ² are constants:
 *
 *   ∂L/∂x = γ ∂L/∂y / √(σ² + ε)        ∂L/∂γ = Σ x̂ ∂L/∂y        ∂L/∂β = Σ ∂L/∂y
 *
 * @param x [..., channels]  @param gamma [channels]  @param beta [channels]
 * @param runningMean μ [channels]  @param runningVariance σ² [channels]
 * @returns [..., channels]
 */
export const batchNormInference: Op<BatchNormInputs, BatchNormAttrs> = differentiable("BatchNormInference", {
  saved: ["x", "gamma", "beta", "runningMean", "runningVariance"],
  gradients: ["x", "gamma", "beta"],

  forward(
    { x, gamma, beta, runningMean, runningVariance }: BatchNormInputs,
    { epsilon = 1e-5, activation }: BatchNormAttrs,
  ) {
    const scale = tf.mul(gamma, tf.rsqrt(tf.add(runningVariance, epsilon))); // [channels]
    const shift = tf.sub(beta, tf.mul(runningMean, scale)); // [channels]
    return {
      output: activate(tf.add(tf.mul(x, scale), shift), activation), // [..., channels]
      saved: { x, gamma, beta, runningMean, runningVariance },
    };
  },

  backward(dy, { x, gamma, beta, runningMean, runningVariance }, { epsilon = 1e-5, activation }) {
    const axes = reducedAxes(x);
    const invStd = tf.rsqrt(tf.add(runningVariance, epsilon)); // [channels]
    const normalised = tf.mul(tf.sub(x, runningMean), invStd); // [..., channels]
    const dz = deactivate(dy, normalised, gamma, beta, activation); // [..., channels]
    return {
      x: tf.mul(dz, tf.mul(gamma, invStd)), // [..., channels]
      gamma: tf.sum(tf.mul(dz, normalised), axes), // [channels]
      beta: tf.sum(dz, axes), // [channels]
    };
  },
});
