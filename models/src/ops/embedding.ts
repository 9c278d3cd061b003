import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export type EmbeddingInputs = { ids: tf.Tensor; table: tf.Tensor };

/**
 * Rows of a table (Bengio et al. 2003, "A neural probabilistic language model", sec. 2: the matrix C).
 *
 *   y_i = E[id_i]
 *
 * Backward, a sum over the places where a row was looked up:
 *
 *   ∂L/∂E[v] = Σ_{i: id_i = v} ∂L/∂y_i
 *
 * @param ids int32, any shape, each in [0, vocabulary)  @param table E [vocabulary, d]
 * @returns [...ids.shape, d]
 */
export const embedding: Op<EmbeddingInputs, object> = differentiable("Embedding", {
  saved: ["ids", "table"],
  gradients: ["table"],

  forward({ ids, table }: EmbeddingInputs) {
    return { output: tf.gather(table, ids as tf.Tensor1D), saved: { ids, table } };
  },

  backward(dy, { ids, table }) {
    const [vocabulary, d] = table.shape;
    const rows = tf.reshape(dy, [-1, d]); // [places, d]
    const places = tf.reshape(ids, [-1]) as tf.Tensor1D; // [places]
    return { table: tf.unsortedSegmentSum(rows, places, vocabulary) }; // [vocabulary, d]
  },
});
