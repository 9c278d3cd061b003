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
 * @param mean μ [batch, d]  @param logVariance log σ² [batch, d]  @param noise ε [batch, K, d], from N(0, I)
 * @returns z [batch, K, d]
 * @throws InputError when the shapes do not fit each other
 */
export const reparameterize: Op<ReparameterizeInputs, object> = differentiable("Reparameterize", {
  saved: ["logVariance", "noise"],
  gradients: ["mean", "logVariance"],

  forward({ mean, logVariance, noise }: ReparameterizeInputs) {
    const [batch, , d] = noise.shape;
    for (const { shape } of [mean, logVariance]) {
      if (noise.rank !== 3 || !tf.util.arraysEqual(shape, [batch, d])) {
        throw new InputError(
          `reparameterize got means [${mean.shape}], log variances [${logVariance.shape}] and noise [${noise.shape}]; expected [batch, d], the same, and [batch, draws, d]`,
        );
      }
    }
    const z = tf.add(tf.expandDims(mean, 1), tf.mul(deviation(logVariance), noise)); // [batch, K, d]
    return { output: z, saved: { logVariance, noise } };
  },

  backward(dz, { logVariance, noise }) {
    return {
      mean: () => tf.sum(dz, 1), // [batch, d]
      logVariance: () => tf.mul(tf.sum(tf.mul(dz, tf.mul(deviation(logVariance), noise)), 1), 0.5), // [batch, d]
    };
  },
});

/** σ [batch, 1, d] */
const deviation = (logVariance: tf.Tensor): tf.Tensor => tf.expandDims(tf.exp(tf.mul(logVariance, 0.5)), 1);
