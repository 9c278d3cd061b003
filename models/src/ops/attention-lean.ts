import * as tf from "@tensorflow/tfjs-core";
import { type AttentionAttrs, type AttentionInputs, checkAttention } from "./attention.ts";
import { apart, keptScores, overBatch, scaleOf, together } from "./attention-scores.ts";
import { differentiable, type Op } from "./differentiable.ts";

export type AttentionLeanInputs = Omit<AttentionInputs, "dropout">;
export interface AttentionLeanAttrs extends AttentionAttrs {
  /** queries at a time; as many as make `BLOCK` elements of P unless given */
  blockSize?: number;
}

/** Elements of P in a block, 16 MiB of float32: large enough for one call of a product to be worth its overhead. */
const BLOCK = 2 ** 22;

/**
 * `attention` of long sequences: the same function, with memory linear in their length (Rabe & Staats 2021,
 * "Self-attention does not need O(n²) memory"; Dao et al. 2022, "FlashAttention", sec. 3.1). P is never kept. Forward and
 * backward take some queries at a time; the backward computes their rows of P again, from what is kept of each row,
 *
 *   ℓ = log Σ_j exp S_j        P_j = exp(S_j − ℓ)
 *
 * and goes on as in `attention`. A block sees all of its keys, so that Σ_j P ∘ ∂L/∂P is at hand and O is not kept.
 *
 * @param q [batch, queries, d]  @param k [batch, keys, d]  @param v [batch, keys, d]
 * @param lengths int32 [batch]: of row n, keys from lengths[n] on are masked
 * @param bias B [heads or 1, queries, keys]
 * @returns [batch, queries, d]
 * @throws InputError when the shapes don't fit each other, or d is no multiple of the heads
 */
export const attentionLean: Op<AttentionLeanInputs, AttentionLeanAttrs> = differentiable("AttentionLean", {
  saved: ["q", "k", "v", "logSums", "lengths", "bias"],
  gradients: ["q", "k", "v", "bias"],

  forward(inputs: AttentionLeanInputs, attrs: AttentionLeanAttrs) {
    checkAttention(inputs, attrs);
    const { q, k, v, lengths, bias } = inputs;
    const [K, V] = [k, v].map((x) => apart(x, attrs.heads ?? 1)); // [batch, heads, keys, d / heads]
    const parts = blocks(q, k, attrs).map((block) =>
      tf.tidy(() => {
        const { scores, kept } = blockScores(block, { q, K, lengths, bias }, attrs);
        const most = tf.max(scores, -1, true); // [batch, heads, queries, 1]
        const powers = tf.exp(tf.sub(scores, most));
        const seen = kept === undefined ? powers : tf.mul(powers, kept);
        // A query that sees nothing has a sum of 0: with 1 in its place P is 0.
        const none = kept === undefined ? 0 : tf.sub(1, tf.max(kept, -1, true)); // [batch or 1, 1, queries or 1, 1]
        const sums = tf.add(tf.sum(seen, -1, true), none);
        const o = together(tf.div(tf.matMul(seen, V), sums)); // [batch, queries, d]
        return { o, logSums: tf.add(most, tf.log(sums)) };
      }),
    );
    const output = tf.concat(
      parts.map(({ o }) => o),
      1,
    );
    const logSums = tf.concat(
      parts.map((part) => part.logSums),
      2,
    ); // [batch, heads, queries, 1]
    return { output, saved: { q, k, v, logSums, lengths, bias } };
  },

  backward(dy, { q, k, v, logSums, lengths, bias }, attrs) {
    const { heads = 1 } = attrs;
    const scale = scaleOf(q, attrs);
    const [K, V] = [k, v].map((x) => apart(x, heads));
    const parts: { dq: tf.Tensor; dS?: tf.Tensor }[] = [];
    let [dk, dv]: tf.Tensor[] = [tf.zerosLike(K), tf.zerosLike(V)];
    for (const block of blocks(q, k, attrs)) {
      const { first, size } = block;
      const part = tf.tidy(() => {
        const { Q, scores, kept } = blockScores(block, { q, K, lengths, bias }, attrs);
        const again = tf.exp(tf.sub(scores, tf.slice(logSums, [0, 0, first, 0], [-1, -1, size, -1])));
        const p = kept === undefined ? again : tf.mul(again, kept); // [batch, heads, queries, keys]
        const dO = apart(rows(dy, block), heads);
        const weighted = tf.mul(tf.matMul(dO, V, false, true), p);
        const dS = tf.sub(weighted, tf.mul(p, tf.sum(weighted, -1, true)));
        const scaled = tf.mul(dS, scale);
        return {
          dq: together(tf.matMul(scaled, K)),
          dk: tf.add(dk, tf.matMul(scaled, Q, true)),
          dv: tf.add(dv, tf.matMul(p, dO, true)),
          ...(bias && { dS: overBatch(dS, bias) }),
        };
      });
      tf.dispose([dk, dv]);
      ({ dk, dv } = part);
      parts.push(part);
    }
    return {
      q: tf.concat(
        parts.map(({ dq }) => dq),
        1,
      ), // [batch, queries, d]
      k: together(dk), // [batch, keys, d]
      v: together(dv), // [batch, keys, d]
      ...(bias && {
        bias: tf.concat(
          parts.map(({ dS }) => dS as tf.Tensor),
          1,
        ),
      }), // [heads or 1, queries, keys]
    };
  },
});

/** Some queries, one after the other. */
interface Block {
  first: number;
  size: number;
}

function blocks(q: tf.Tensor, k: tf.Tensor, { heads = 1, blockSize }: AttentionLeanAttrs): Block[] {
  const [batch, queries] = q.shape;
  const [, keys] = k.shape;
  const step = blockSize ?? Math.max(1, Math.floor(BLOCK / (batch * heads * keys)));
  const count = Math.max(1, Math.ceil(queries / step));
  return Array.from({ length: count }, (_, i) => ({ first: i * step, size: Math.min(step, queries - i * step) }));
}

/** [batch, tokens, d] -> [batch, size, d] */
const rows = (x: tf.Tensor, { first, size }: Block): tf.Tensor => tf.slice(x, [0, first, 0], [-1, size, -1]);

/** The scores of a block's queries. */
function blockScores(
  block: Block,
  { q, K, lengths, bias }: { q: tf.Tensor; K: tf.Tensor; lengths?: tf.Tensor; bias?: tf.Tensor },
  attrs: AttentionLeanAttrs,
): { Q: tf.Tensor; scores: tf.Tensor; kept?: tf.Tensor } {
  const Q = apart(rows(q, block), attrs.heads ?? 1); // [batch, heads, size, d / heads]
  const ofBlock = bias && rows(bias, block); // [heads or 1, size, keys]
  const range = { first: block.first, total: q.shape[1] as number };
  return { Q, ...keptScores(Q, K, { lengths, bias: ofBlock }, { ...attrs, scale: scaleOf(q, attrs) }, range) };
}
