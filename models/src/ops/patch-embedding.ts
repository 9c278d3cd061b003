import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";
import { sumToLastAxis } from "./sum-to-last-axis.ts";

export type PatchEmbeddingInputs = { x: tf.Tensor; filter: tf.Tensor; bias: tf.Tensor };

/**
 * Cuts images into patches of p × p pixels and maps each to a token (Dosovitskiy et al. 2021, eq. 1): a convolution whose
 * stride is its filter's size, so that no pixel is seen twice and one product of matrices does it.
 *
 *   y = P W + b        P: a row for each patch, from left to right and from top to bottom
 *
 * Backward:
 *
 *   ∂L/∂P = ∂L/∂y Wᵀ, each pixel back in its place        ∂L/∂W = Pᵀ ∂L/∂y        ∂L/∂b = Σ ∂L/∂y
 *
 * @param x [batch, height, width, channels]  @param filter W [p, p, channels, d]  @param bias b [d]
 * @returns [batch, height · width / p², d]
 * @throws InputError when height or width is no multiple of p
 */
export const patchEmbedding: Op<PatchEmbeddingInputs, object> = differentiable("PatchEmbedding", {
  gradients: ["x", "filter", "bias"],

  forward({ x, filter, bias }: PatchEmbeddingInputs) {
    const [batch, height, width] = x.shape;
    const [p, , , d] = filter.shape;
    if (height % p > 0 || width % p > 0) {
      throw new InputError(`images of ${height} x ${width} pixels can't be cut into patches of ${p} x ${p}`);
    }
    const tokens = tf.add(tf.matMul(patchesOf(x, p), matrixOf(filter)), bias); // [batch · patches, d]
    return { output: tf.reshape(tokens, [batch, (height * width) / p ** 2, d]), saved: { x, filter } };
  },

  backward(dy, { x, filter }) {
    const p = filter.shape[0];
    const rows = () => tf.reshape(dy, [-1, dy.shape[2] as number]) as tf.Tensor2D; // [batch · patches, d]
    return {
      x: () => imagesOf(tf.matMul(rows(), matrixOf(filter), false, true), x.shape, p),
      filter: () => tf.reshape(tf.matMul(patchesOf(x, p), rows(), true), filter.shape),
      bias: () => sumToLastAxis(dy), // [d]
    };
  },
});

/** [p, p, channels, d] -> [p² · channels, d] */
const matrixOf = (filter: tf.Tensor): tf.Tensor2D => tf.reshape(filter, [-1, filter.shape[3] as number]);

/** [batch, height, width, channels] -> [batch · patches, p² · channels] */
function patchesOf(x: tf.Tensor, p: number): tf.Tensor2D {
  const [batch, height, width, channels] = x.shape;
  const strips = tf.reshape(x, [(batch * height) / p, p, width / p, p * channels]);
  return tf.reshape(tf.transpose(strips, [0, 2, 1, 3]), [-1, p * p * channels]);
}

/** The inverse of `patchesOf`. */
function imagesOf(patches: tf.Tensor, shape: number[], p: number): tf.Tensor {
  const [batch, height, width, channels] = shape;
  const strips = tf.reshape(patches, [(batch * height) / p, width / p, p, p * channels]);
  return tf.reshape(tf.transpose(strips, [0, 2, 1, 3]), shape);
}
