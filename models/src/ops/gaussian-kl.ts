import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";
import { expectOneShape, reduced } from "./reduction.ts";

export type GaussianKlInputs = {
  mean: tf.Tensor;
  logVariance: tf.Tensor;
  /** 0 unless given */
  priorMean?: tf.Tensor;
  /** 0 unless given */
  priorLogVariance?: tf.Tensor;
};

export interface GaussianKlAttrs {
  /** `each` unless given: nothing beyond the sum over the last axis; or the sum of those divided by the batch */
  reduction?: "each" | "batchMean";
}

/**
 * Kullback-Leibler divergence of a normal distribution with independent components from another, N(μ, diag e^v) from
 * N(m, diag e^w), summed over the last axis; from N(0, I) where no other is given (Kingma & Welling 2014, App. B).
 *
 *   KL = ½ Σ_k (w − v + e^(v − w) + (μ − m)² e^−w − 1)
 *
 * Backward, for each component:
 *
 *   ∂KL/∂μ = (μ − m) e^−w = −∂KL/∂m
 *   ∂KL/∂v = ½ (e^(v − w) − 1)        ∂KL/∂w = ½ (1 − e^(v − w) − (μ − m)² e^−w)
 *
 * @param mean μ [..., d]  @param logVariance v = log σ² [..., d]
 * @param priorMean m [..., d], optional  @param priorLogVariance w [..., d], optional
 * @returns [...] (nats); [] for `batchMean`
 * @throws InputError when the shapes differ
 */
export const gaussianKl: Op<GaussianKlInputs, GaussianKlAttrs> = differentiable("GaussianKl", {
  saved: ["mean", "logVariance", "priorMean", "priorLogVariance"],
  gradients: ["mean", "logVariance", "priorMean", "priorLogVariance"],

  forward(inputs: GaussianKlInputs, { reduction = "each" }: GaussianKlAttrs) {
    expectOneShape("gaussianKl", inputs);
    const { logVariance, priorLogVariance } = inputs;
    const { ratio, distance } = compared(inputs);
    const logRatio = priorLogVariance ? tf.sub(logVariance, priorLogVariance) : logVariance;
    const terms = tf.sub(tf.add(ratio, distance), tf.add(logRatio, 1)); // [..., d]
    const kl = tf.mul(tf.sum(terms, -1), 0.5); // [...]
    return { output: reduction === "each" ? kl : reduced(kl, reduction), saved: inputs };
  },

  backward(dy, saved, { reduction = "each" }) {
    const [batch] = saved.mean.rank > 1 ? saved.mean.shape : [1];
    const each = () => (reduction === "each" ? tf.expandDims(dy, -1) : tf.div(dy, batch)); // [..., 1], or []
    const half = () => tf.mul(each(), 0.5);
    const toMean = () => tf.mul(compared(saved).pull, each()); // [..., d]
    return {
      mean: toMean,
      logVariance: () => tf.mul(tf.sub(compared(saved).ratio, 1), half()), // [..., d]
      ...(saved.priorMean && { priorMean: () => tf.neg(toMean()) }), // [..., d]
      ...(saved.priorLogVariance && {
        priorLogVariance: () => {
          const { ratio, distance } = compared(saved);
          return tf.mul(tf.sub(1, tf.add(ratio, distance)), half()); // [..., d]
        },
      }),
    };
  },
});

/** e^(v − w), (μ − m) e^−w and (μ − m)² e^−w, all [..., d] */
function compared({ mean, logVariance, priorMean, priorLogVariance: w }: GaussianKlInputs) {
  const offset = priorMean ? tf.sub(mean, priorMean) : mean;
  const ratio = tf.exp(w ? tf.sub(logVariance, w) : logVariance);
  const pull = w ? tf.mul(offset, tf.exp(tf.neg(w))) : offset;
  return { ratio, pull, distance: tf.mul(offset, pull) };
}
