import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

export type AdditiveAttentionInputs = {
  query: tf.Tensor;
  keys: tf.Tensor;
  v: tf.Tensor;
  values: tf.Tensor;
  lengths?: tf.Tensor;
};

type Looked = { [name in "query" | "keys" | "v" | "values" | "a"]: tf.Tensor };

/**
 * Additive attention (Bahdanau, Cho & Bengio 2015, sec. 3.1 and appendix A.1.2, without its projections, so that U h is
 * computed once for all steps of a decoder).
 *
 *   t_ij = tanh(W s_i + U h_j)        a_i = softmax_j(v · t_ij)        c_i = Σ_j a_ij h_j
 *
 * A masked place has a = 0, and a query whose places are all masked has c = 0.
 *
 * Backward, with e_ij = v · t_ij:
 *
 *   ∂L/∂h = aᵀ ∂L/∂c        ∂L/∂a = ∂L/∂c hᵀ        ∂L/∂e = a ∘ (∂L/∂a − Σ_j a ∘ ∂L/∂a)        ∂L/∂v = Σ ∂L/∂e t
 *   ∂L/∂t = ∂L/∂e v (1 − t²)        ∂L/∂(W s_i) = Σ_j ∂L/∂t_ij        ∂L/∂(U h_j) = Σ_i ∂L/∂t_ij
 *
 * @param query W s [batch, queries, d], or [batch, d] for one query of each row
 * @param keys U h [batch, places, d]  @param v [d]  @param values h [batch, places, e]
 * @param lengths int32 [batch]: of row n, places from lengths[n] on are masked
 * @returns `all` gives c [batch, queries, e], or [batch, e], and the weights a [batch, queries, places], or [batch,
 *   places], which have no gradient; a plain call gives c
 * @throws InputError when the shapes don't fit each other
 */
export const additiveAttention: Op<AdditiveAttentionInputs, object> = differentiable("AdditiveAttention", {
  saved: ["query", "keys", "v", "values", "a"],
  gradients: ["query", "keys", "v", "values"],
  outputs: 2,

  forward(inputs: AdditiveAttentionInputs) {
    checkAdditive(inputs);
    const { query, keys, v, values } = inputs;
    const [c, a] = look(inputs);
    return { output: [c, a], saved: { query, keys, v, values, a } };
  },

  backward: lookBackward,
});

/** The forward pass: c and a. */
export function look({ query, keys, v, values, lengths }: AdditiveAttentionInputs): [c: tf.Tensor, a: tf.Tensor] {
  const [batch, places, d] = keys.shape;
  const t = tanhOf(query, keys); // [batch, queries, places, d]
  const queries = t.shape[1] as number;
  const energies = tf.reshape(tf.matMul(tf.reshape(t, [-1, d]), tf.reshape(v, [d, 1])), [batch, queries, places]);
  const a = maskedSoftmax(energies, lengths); // [batch, queries, places]
  const c = tf.matMul(a, values); // [batch, queries, e]
  return query.rank === 2 ? [tf.squeeze(c, [1]), tf.squeeze(a, [1])] : [c, a];
}

/** The backward pass, from ∂L/∂c. */
export function lookBackward(dy: tf.Tensor, { query, keys, v, values, a: weights }: Looked) {
  const t = tanhOf(query, keys); // again: kept, it would be the largest tensor by far
  const [batch, queries, places, d] = t.shape;
  const a = tf.reshape(weights, [batch, queries, places]);
  const dc = tf.reshape(dy, [batch, queries, -1]); // [batch, queries, e]
  const weighted = tf.mul(tf.matMul(dc, values, false, true), a); // [batch, queries, places]
  const de = tf.sub(weighted, tf.mul(a, tf.sum(weighted, -1, true)));
  const flat = tf.reshape(de, [-1, 1]); // [batch · queries · places, 1]
  const bend = tf.sub(1, tf.square(t)); // [batch, queries, places, d]
  const dt = tf.mul(tf.mul(tf.reshape(de, [batch, queries, places, 1]), v), bend);
  return {
    query: tf.reshape(tf.sum(dt, 2), query.shape), // [batch, queries, d]
    keys: tf.sum(dt, 1), // [batch, places, d]
    v: tf.reshape(tf.matMul(tf.reshape(t, [-1, d]), flat, true), [d]),
    values: tf.matMul(a, dc, true), // [batch, places, e]
  };
}

/** tanh(W s_i + U h_j) [batch, queries, places, d] */
function tanhOf(query: tf.Tensor, keys: tf.Tensor): tf.Tensor4D {
  const [batch, , d] = keys.shape;
  return tf.tanh(tf.add(tf.reshape(query, [batch, -1, 1, d]), tf.expandDims(keys, 1)));
}

/** softmax over the places before each row's length; 0 for the others. @param energies [batch, queries, places] */
function maskedSoftmax(energies: tf.Tensor, lengths: tf.Tensor | undefined): tf.Tensor {
  if (lengths === undefined) return tf.softmax(energies);
  const places = tf.range(0, energies.shape[2] as number, 1, "int32"); // [places]
  const kept = tf.cast(tf.less(places, tf.reshape(lengths, [-1, 1, 1])), "float32"); // [batch, 1, places]
  return tf.mul(tf.softmax(tf.add(energies, tf.mul(tf.sub(1, kept), -1e30))), kept);
}

export function checkAdditive({ query, keys, v, values, lengths }: AdditiveAttentionInputs): void {
  const [batch, places, d] = keys.shape;
  const fits =
    keys.rank === 3 &&
    (query.rank === 2 || query.rank === 3) &&
    query.shape[0] === batch &&
    query.shape[query.rank - 1] === d &&
    tf.util.arraysEqual(v.shape, [d]) &&
    values.rank === 3 &&
    tf.util.arraysEqual(values.shape.slice(0, 2), [batch, places]) &&
    (lengths === undefined || (lengths.dtype === "int32" && tf.util.arraysEqual(lengths.shape, [batch])));
  if (fits) return;
  throw new InputError(
    `additive attention got query [${query.shape}], keys [${keys.shape}], v [${v.shape}], values [${values.shape}] and ` +
      `lengths ${lengths ? `${lengths.dtype} [${lengths.shape}]` : "of none"}; expected [batch, queries, d] or [batch, d], ` +
      "[batch, places, d], [d], [batch, places, e] and, if any, int32 [batch]",
  );
}
