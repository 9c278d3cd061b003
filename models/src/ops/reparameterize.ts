import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

export type ReparameterizeInputs = { mean: tf.Tensor; logVariance: tf.Tensor; noise: tf.Tensor };

/**
 * A draw from N(μ, diag σ²) as a function of its parameters and of noise that has none (Kingma & Welling 2014,
 * "Auto-encoding variational Bayes", sec. 2.4), so that gradients pass through it; K draws of each.
 *
 *   z_k = μ + σ ε_k        σ = e^(½ log σ²)
 *
 * Backward:
 *
 *   ∂L/∂μ = Σ_k ∂L/∂z_k        ∂L/∂log σ² = ½ σ Σ_k ε_k ∂L/∂z_k
 *
 * @param mean μ [batch, d]  @param logVariance log σ² [batch, d]  @param noise ε [batch, K, d], from N(0, I), or
 *   [batch, d] for one draw
 * @returns z, of the noise's shape
 * @throws InputError when the shapes do not fit each other
 */
export const reparameterize: Op<ReparameterizeInputs, object> = differentiable("Reparameterize", {
  saved: ["logVariance", "noise"],
  gradients: ["mean", "logVariance"],

  forward({ mean, logVariance, noise }: ReparameterizeInputs) {
    const parameters = [noise.shape[0], noise.shape[noise.rank - 1]]; // [batch, d]
    for (const { shape } of [mean, logVariance]) {
      if (![2, 3].includes(noise.rank) || !tf.util.arraysEqual(shape, parameters)) {
        throw new InputError(
          `reparameterize got means [${mean.shape}], log variances [${logVariance.shape}] and noise [${noise.shape}]; expected [batch, d], the same, and [batch, draws, d] or [batch, d]`,
        );
      }
    }
    const z = tf.add(beside(noise, mean), tf.mul(beside(noise, deviation(logVariance)), noise)); // [batch, K, d]
    return { output: z, saved: { logVariance, noise } };
  },

  backward(dz, { logVariance, noise }) {
    const overDraws = (x: tf.Tensor): tf.Tensor => (noise.rank === 3 ? tf.sum(x, 1) : x); // [batch, d]
    return {
      mean: noise.rank === 3 ? () => tf.sum(dz, 1) : dz, // [batch, d]
      logVariance: () => tf.mul(overDraws(tf.mul(dz, noise)), tf.mul(deviation(logVariance), 0.5)), // [batch, d]
    };
  },
});

/** σ [batch, d] */
const deviation = (logVariance: tf.Tensor): tf.Tensor => tf.exp(tf.mul(logVariance, 0.5));

/** [batch, d] as [batch, 1, d], where there may be several draws of each. */
const beside = (noise: tf.Tensor, x: tf.Tensor): tf.Tensor => (noise.rank === 3 ? tf.expandDims(x, 1) : x);
