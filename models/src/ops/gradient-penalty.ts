import * as tf from "@tensorflow/tfjs-core";

/**
 * How far a critic's slope is from 1 (Gulrajani et al. 2017, "Improved training of Wasserstein GANs", eq. 3), mean over
 * the batch. Its own gradient reaches the critic's weights through ∂D/∂x: take it with `tf.variableGrads`.
 *
 *   L = (1 / N) Σ_n (‖∂D(xₙ)/∂xₙ‖₂ − 1)²
 *
 * An example's score must depend on no other example, so that the critic has no batch norm.
 *
 * @param critic D, from images to scores: [batch, ...] -> [batch] or [batch, 1]
 * @param x where the slope is taken, between a real and a generated image: [batch, ...]
 * @returns []
 */
export function gradientPenalty(critic: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const slope = tf.grad((at) => tf.sum(critic(at)))(x); // [batch, ...]
    const squares = tf.sum(tf.square(tf.reshape(slope, [x.shape[0], -1])), 1); // [batch]
    const norm = tf.sqrt(tf.add(squares, SMALLEST)); // [batch]
    return tf.mean(tf.square(tf.sub(norm, 1))) as tf.Scalar;
  });
}

/** Keeps the root's gradient finite where a critic is flat. */
const SMALLEST = 1e-12;
