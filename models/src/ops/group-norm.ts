import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";
import { sumToLastAxis } from "./sum-to-last-axis.ts";

export type GroupNormInputs = { x: tf.Tensor; gamma?: tf.Tensor; beta?: tf.Tensor };
export interface GroupNormAttrs {
  /** G, a divisor of the channels: neighbours among them are normalised together */
  groups?: number;
  /** added to the variance */
  epsilon?: number;
}

/**
 * Group normalisation: of each example by itself, over all places and the channels of a group (Wu & He 2018, eq. 1 and 7).
 *
 *   x̂ = (x − μ) / √(σ² + ε)        y = γ x̂ + β
 *
 * Backward, with g = γ ∂L/∂y and means over the same places and channels as μ:
 *
 *   ∂L/∂x = (g − mean(g) − x̂ mean(g x̂)) / √(σ² + ε)
 *   ∂L/∂γ = Σ x̂ ∂L/∂y              ∂L/∂β = Σ ∂L/∂y          (Σ over all axes but the channels)
 *
 * With one group this is layer normalisation of whole images, with one for each channel instance normalisation.
 *
 * @param x [batch, ..., channels]  @param gamma [channels], 1 unless given  @param beta [channels], 0 unless given
 * @returns [batch, ..., channels]
 * @throws InputError when the channels are no multiple of the groups
 */
export const groupNorm: Op<GroupNormInputs, GroupNormAttrs> = differentiable("GroupNorm", {
  saved: ["x", "mean", "invStd", "gamma", "beta"],
  gradients: ["x", "gamma", "beta"],

  forward({ x, gamma, beta }: GroupNormInputs, { groups = 1, epsilon = 1e-5 }: GroupNormAttrs) {
    const parts = grouped(x, groups); // [batch, places, groups, channels / groups]
    const mean = tf.mean(parts, [1, 3], true); // [batch, 1, groups, 1]
    const centred = tf.sub(parts, mean); // [batch, places, groups, channels / groups]
    const variance = tf.mean(tf.square(centred), [1, 3], true); // [batch, 1, groups, 1]
    const invStd = tf.rsqrt(tf.add(variance, epsilon)); // [batch, 1, groups, 1]
    const normalised = tf.reshape(tf.mul(centred, invStd), x.shape); // [batch, ..., channels]
    const scaled = gamma === undefined ? normalised : tf.mul(normalised, gamma);
    const output = beta === undefined ? scaled : tf.add(scaled, beta); // [batch, ..., channels]
    return { output, saved: { x, mean, invStd, gamma, beta } };
  },

  backward(dy, { x, mean, invStd, gamma, beta }, { groups = 1 }) {
    const normalised = tf.mul(tf.sub(grouped(x, groups), mean), invStd); // [batch, places, groups, channels / groups]
    const g = grouped(gamma === undefined ? dy : tf.mul(dy, gamma), groups); // [batch, places, groups, channels / groups]
    const along = tf.mul(normalised, tf.mean(tf.mul(g, normalised), [1, 3], true));
    const dx = tf.mul(invStd, tf.sub(tf.sub(g, tf.mean(g, [1, 3], true)), along));
    return {
      x: tf.reshape(dx, x.shape), // [batch, ..., channels]
      ...(gamma && { gamma: sumToLastAxis(tf.mul(dy, tf.reshape(normalised, x.shape))) }), // [channels]
      ...(beta && { beta: sumToLastAxis(dy) }), // [channels]
    };
  },
});

/**
 * Instance normalisation: of each channel of each image by itself (Ulyanov, Vedaldi & Lempitsky 2016, eq. 2).
 *
 * @param x [batch, ..., channels]  @param gamma [channels], 1 unless given  @param beta [channels], 0 unless given
 * @returns [batch, ..., channels]
 */
export function instanceNorm(inputs: GroupNormInputs, { epsilon }: Pick<GroupNormAttrs, "epsilon"> = {}): tf.Tensor {
  return groupNorm(inputs, { groups: inputs.x.shape.at(-1), epsilon });
}

/** [batch, places, groups, channels / groups] */
function grouped(x: tf.Tensor, groups: number): tf.Tensor {
  const [batch, channels] = [x.shape[0], x.shape.at(-1) as number];
  if (x.rank < 2 || channels % groups !== 0) {
    throw new InputError(
      `groupNorm got x [${x.shape}] and ${groups} groups; expected x [batch, ..., channels], channels a multiple of groups`,
    );
  }
  return tf.reshape(x, [batch, -1, groups, channels / groups]);
}
