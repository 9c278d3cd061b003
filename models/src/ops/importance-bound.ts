import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

export type ImportanceBoundInputs = {
  logLikelihood: tf.Tensor;
  z: tf.Tensor;
  logVariance: tf.Tensor;
  noise: tf.Tensor;
};

/**
 * The importance-weighted bound on −log p(x) from K draws z_k = μ + σ ε_k of the encoder q (Burda, Grosse & Salakhutdinov
 * 2016, "Importance weighted autoencoders", eq. 8), under the prior N(0, I):
 *
 *   L = −log (1/K) Σ_k w_k        log w_k = log p(x|z_k) + log p(z_k) − log q(z_k|x)
 *                                         = log p(x|z_k) + ½ Σ (log σ² + ε_k² − z_k²)
 *
 * since z_k − μ = σ ε_k. Each draw's gradient counts by its normalised weight w̃ (eq. 14); the encoder's mean and variance
 * get theirs through z_k too:
 *
 *   w̃_k = w_k / Σ_j w_j        ∂L/∂log p(x|z_k) = −w̃_k        ∂L/∂z_k = w̃_k z_k        ∂L/∂log σ² = −½
 *
 * With K = 1 it is one draw of the negative ELBO.
 *
 * @param logLikelihood log p(x|z_k) [batch, K], nats  @param z [batch, K, d]
 * @param logVariance log σ² [batch, d]  @param noise ε [batch, K, d]
 * @returns [batch] (nats)
 * @throws InputError when the shapes do not fit each other
 */
export const importanceBound: Op<ImportanceBoundInputs, object> = differentiable("ImportanceBound", {
  saved: ["weights", "z", "logVariance"],
  gradients: ["logLikelihood", "z", "logVariance"],

  forward({ logLikelihood, z, logVariance, noise }: ImportanceBoundInputs) {
    const [batch, draws, d] = z.shape;
    const expected = { logLikelihood: [batch, draws], logVariance: [batch, d], noise: [batch, draws, d] };
    const given = { logLikelihood, logVariance, noise };
    for (const [name, shape] of Object.entries(expected)) {
      const found = given[name as keyof typeof given].shape;
      if (tf.util.arraysEqual(found, shape)) continue;
      throw new InputError(`importanceBound got ${name} [${found}] with z [${z.shape}]; expected [${shape}]`);
    }
    const spread = tf.sum(tf.sub(tf.square(noise), tf.square(z)), -1); // [batch, K]
    const volume = tf.sum(logVariance, -1, true); // [batch, 1]
    const logWeights = tf.add(logLikelihood, tf.mul(tf.add(spread, volume), 0.5)); // [batch, K]
    const largest = tf.max(logWeights, 1, true); // [batch, 1]
    const relative = tf.exp(tf.sub(logWeights, largest)); // [batch, K]
    const sum = tf.sum(relative, 1, true); // [batch, 1]
    const logMean = tf.add(tf.log(tf.div(sum, draws)), largest); // [batch, 1]
    return {
      output: tf.neg(tf.squeeze(logMean, [1])), // [batch]
      saved: { weights: tf.div(relative, sum), z, logVariance },
    };
  },

  backward(dy, { weights, z, logVariance }) {
    const each = () => tf.expandDims(dy, 1); // [batch, 1]
    const shares = () => tf.mul(weights, each()); // [batch, K]
    return {
      logLikelihood: () => tf.neg(shares()), // [batch, K]
      z: () => tf.mul(tf.expandDims(shares(), 2), z), // [batch, K, d]
      logVariance: () => tf.mul(tf.onesLike(logVariance), tf.mul(each(), -0.5)), // [batch, d]
    };
  },
});
