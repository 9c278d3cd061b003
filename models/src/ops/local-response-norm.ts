import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export interface LocalResponseNormAttrs {
  /** n: channels that a channel is compared with, itself in their middle; odd */
  size?: number;
  alpha?: number;
  beta?: number;
  k?: number;
}

/**
 * Local response normalisation (Krizhevsky, Sutskever & Hinton 2012, sec. 3.3): bright channels dim their neighbours.
 *
 *   s = k + α W x²        y = x s^−β        (W x²)_c = Σ x_j², |j − c| ≤ (n − 1) / 2
 *
 * Backward, with W its own transpose:
 *
 *   ∂L/∂x = s^−β ∂L/∂y − 2 α β x W (∂L/∂y x s^(−β−1))
 *
 * PyTorch's α is this one times n. Defaults are the paper's.
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, height, width, channels]
 */
export const localResponseNorm: Op<{ x: tf.Tensor }, LocalResponseNormAttrs> = differentiable("LocalResponseNorm", {
  saved: ["x"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, attrs: LocalResponseNormAttrs) {
    const { beta } = withDefaults(attrs);
    return { output: tf.mul(x, tf.pow(scale(x, attrs), -beta)), saved: { x } };
  },

  backward(dy, { x }, attrs) {
    const { size, alpha, beta } = withDefaults(attrs);
    const s = scale(x, attrs); // [batch, height, width, channels]
    const direct = tf.mul(dy, tf.pow(s, -beta));
    const shared = windowSum(tf.mul(tf.mul(dy, x), tf.pow(s, -beta - 1)), size);
    return { x: tf.sub(direct, tf.mul(tf.mul(x, 2 * alpha * beta), shared)) };
  },
});

function withDefaults({ size = 5, alpha = 1e-4, beta = 0.75, k = 2 }: LocalResponseNormAttrs) {
  return { size, alpha, beta, k };
}

/** s */
function scale(x: tf.Tensor, attrs: LocalResponseNormAttrs): tf.Tensor {
  const { size, alpha, k } = withDefaults(attrs);
  return tf.add(tf.mul(windowSum(tf.square(x), size), alpha), k);
}

/** W x: each channel's sum with its neighbours, as a product with a band of ones. */
function windowSum(x: tf.Tensor, size: number): tf.Tensor {
  const channels = x.shape[x.shape.length - 1];
  const reach = (size - 1) / 2;
  const ones = Float32Array.from({ length: channels * channels }, (_, i) =>
    Math.abs((i % channels) - Math.floor(i / channels)) <= reach ? 1 : 0,
  );
  const band = tf.tensor2d(ones, [channels, channels]);
  return tf.reshape(tf.matMul(tf.reshape(x, [-1, channels]), band), x.shape);
}
