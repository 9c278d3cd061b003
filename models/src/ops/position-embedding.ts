import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export type PositionEmbeddingInputs = { x: tf.Tensor; positions: tf.Tensor };

/**
 * Adds to each token what is learned of its place (Dosovitskiy et al. 2021, eq. 1).
 *
 *   y = x + E        ∂L/∂x = ∂L/∂y        ∂L/∂E = Σ ∂L/∂y over the batch
 *
 * @param x [batch, tokens, d]  @param positions E [1, tokens, d]
 * @returns [batch, tokens, d]
 */
export const positionEmbedding: Op<PositionEmbeddingInputs, object> = differentiable("PositionEmbedding", {
  gradients: ["x", "positions"],

  forward({ x, positions }: PositionEmbeddingInputs) {
    return { output: tf.add(x, positions), saved: {} };
  },

  backward(dy) {
    return { x: dy, positions: () => tf.sum(dy, 0, true) };
  },
});
