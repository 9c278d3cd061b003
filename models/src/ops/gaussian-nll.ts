import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

export type GaussianNllInputs = { mean: tf.Tensor; logVariance: tf.Tensor; target: tf.Tensor };

/**
 * −log N(x; μ, σ² I), summed over all that belongs to an example: what a decoder with normal pixels says of an image
 * (Kingma & Welling 2014, App. C.2), with one variance for the whole of it.
 *
 *   L = ½ Σ_i ((x_i − μ_i)² / σ² + log σ² + log 2π)
 *
 * Backward, D numbers an example; the example has no gradient:
 *
 *   ∂L/∂μ = (μ − x) / σ²        ∂L/∂log σ² = ½ (D − Σ_i (x_i − μ_i)² / σ²)
 *
 * @param mean μ [batch, ...]  @param logVariance log σ² [batch, 1]  @param target x, the shape of μ
 * @returns [batch] (nats)
 * @throws InputError when the shapes do not fit each other
 */
export const gaussianNll: Op<GaussianNllInputs, object> = differentiable("GaussianNll", {
  saved: ["difference", "logVariance"],
  gradients: ["mean", "logVariance"],

  forward({ mean, logVariance, target }: GaussianNllInputs) {
    const [batch] = mean.shape;
    if (!tf.util.arraysEqual(mean.shape, target.shape) || !tf.util.arraysEqual(logVariance.shape, [batch, 1])) {
      throw new InputError(
        `gaussianNll got means [${mean.shape}], log variances [${logVariance.shape}] and targets [${target.shape}]; expected [batch, ...], [batch, 1] and the means' shape`,
      );
    }
    const size = mean.size / batch; // D
    const difference = tf.reshape(tf.sub(mean, target), [batch, size]); // [batch, D]
    const constant = size * Math.log(2 * Math.PI);
    const volume = tf.mul(logVariance, size); // [batch, 1]
    const sum = tf.add(tf.add(distance({ difference, logVariance }), volume), constant); // [batch, 1]
    return {
      output: tf.mul(tf.squeeze(sum, [1]), 0.5), // [batch]
      saved: { difference: tf.reshape(difference, mean.shape), logVariance },
    };
  },

  backward(dy, { difference, logVariance }) {
    const [batch, ...rest] = difference.shape;
    const each = () => tf.reshape(dy, [batch, 1]); // [batch, 1]
    return {
      mean: () => {
        const scale = tf.mul(each(), tf.exp(tf.neg(logVariance))); // [batch, 1]
        return tf.mul(difference, tf.reshape(scale, [batch, ...rest.map(() => 1)])); // [batch, ...]
      },
      logVariance: () => {
        const size = difference.size / batch; // D
        const flat = tf.reshape(difference, [batch, size]); // [batch, D]
        return tf.mul(each(), tf.mul(tf.sub(size, distance({ difference: flat, logVariance })), 0.5));
      },
    };
  },
});

/** Σ_i (x_i − μ_i)² / σ² [batch, 1] */
function distance({ difference, logVariance }: { difference: tf.Tensor; logVariance: tf.Tensor }): tf.Tensor {
  return tf.mul(tf.sum(tf.square(difference), 1, true), tf.exp(tf.neg(logVariance)));
}
