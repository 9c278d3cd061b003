/** What the forms of attention share: heads, scores, masks. */
import * as tf from "@tensorflow/tfjs-core";

/** [batch, tokens, d] -> [batch, heads, tokens, d / heads] */
export function apart(x: tf.Tensor, heads: number): tf.Tensor {
  const [batch, tokens, d] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, tokens, heads, d / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, tokens, dₕ] -> [batch, tokens, heads · dₕ] */
export function together(x: tf.Tensor): tf.Tensor {
  const [batch, heads, tokens, dh] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * dh]);
}

/** s, or 1 / √dₕ */
export const scaleOf = (q: tf.TensorInfo, { heads = 1, scale }: { heads?: number; scale?: number }): number =>
  scale ?? Math.sqrt(heads / q.shape[2]);

/** What is added to the scores of masked keys. It is finite, since ∞ − ∞ is NaN; no score is seen beside it in float32. */
const MASKED = -1e30;

/**
 * Scores with those of masked keys far below all others.
 *
 * @param Q [batch, heads, queries, dₕ], from query number `first` of `total` on (all of them unless given)
 * @param K [batch, heads, keys, dₕ]
 * @returns scores [batch, heads, queries, keys]; kept: 1 for keys that are seen, 0 for others, [batch or 1, 1,
 *   queries or 1, keys], undefined when nothing can be masked
 */
export function keptScores(
  Q: tf.Tensor,
  K: tf.Tensor,
  { lengths, bias }: { lengths?: tf.Tensor; bias?: tf.Tensor },
  { scale, causal = false }: { scale: number; causal?: boolean },
  { first, total }: { first: number; total: number } = { first: 0, total: Q.shape[2] as number },
): { scores: tf.Tensor; kept?: tf.Tensor } {
  const products = tf.mul(tf.matMul(Q, K, false, true), scale); // [batch, heads, queries, keys]
  const biased = bias === undefined ? products : tf.add(products, bias);
  const [queries, keys] = [Q.shape[2], K.shape[2]] as number[];
  const kept = keptKeys(queries, keys, { lengths, causal }, { first, total });
  if (kept === undefined) return { scores: biased };
  return { scores: tf.add(biased, tf.mul(tf.sub(1, kept), MASKED)), kept };
}

/**
 * P = softmax(s Q Kᵀ + B), what is left of each query for each key; 0 for masked keys, and throughout for a query whose keys
 * are all masked.
 *
 * @param Q [batch, heads, queries, dₕ]  @param K [batch, heads, keys, dₕ]
 * @returns [batch, heads, queries, keys]
 */
export function keptWeights(
  Q: tf.Tensor,
  K: tf.Tensor,
  masks: { lengths?: tf.Tensor; bias?: tf.Tensor },
  attrs: { scale: number; causal?: boolean },
): tf.Tensor {
  const { scores, kept } = keptScores(Q, K, masks, attrs);
  const soft = tf.softmax(scores);
  return kept === undefined ? soft : tf.mul(soft, kept); // the softmax of a row that is masked throughout is even
}

/** 1 for keys that a query sees, 0 for others: [batch or 1, 1, queries or 1, keys] */
function keptKeys(
  queries: number,
  keys: number,
  { lengths, causal }: { lengths?: tf.Tensor; causal: boolean },
  { first, total }: { first: number; total: number },
): tf.Tensor | undefined {
  if (lengths === undefined && !causal) return undefined;
  const places = tf.range(0, keys, 1, "int32"); // [keys]
  const masks: tf.Tensor[] = [];
  if (lengths) masks.push(tf.less(places, tf.reshape(lengths, [-1, 1, 1, 1]))); // [batch, 1, 1, keys]
  if (causal) {
    const last = tf.range(first + keys - total, first + keys - total + queries, 1, "int32"); // [queries]
    masks.push(tf.lessEqual(places, tf.reshape(last, [1, 1, queries, 1]))); // [1, 1, queries, keys]
  }
  const [kept, ...others] = masks.map((mask) => tf.cast(mask, "float32"));
  return others.reduce<tf.Tensor>((all, mask) => tf.mul(all, mask), kept);
}

/** ∂L/∂B: ∂L/∂S [batch, heads, queries, keys] summed to [heads or 1, queries, keys], as the bias has it. */
export function overBatch(dS: tf.Tensor, { shape: [first] }: tf.Tensor): tf.Tensor {
  return first === 1 ? tf.sum(tf.sum(dS, 0), 0, true) : tf.sum(dS, 0);
}
