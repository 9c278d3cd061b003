import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

export type AttentionInputs = { q: tf.Tensor; k: tf.Tensor; v: tf.Tensor };
export interface AttentionAttrs {
  /** h: q, k and v are cut into so many parts of d / h channels, each with an attention of its own */
  heads?: number;
}

/**
 * Scaled dot-product attention in several heads (Vaswani et al. 2017, eq. 1 and sec. 3.2.2, without its projections).
 *
 *   P = softmax(Q Kᵀ / √dₕ)        O = P V        for each head, of dₕ = d / h channels
 *
 * Backward:
 *
 *   ∂L/∂V = Pᵀ ∂L/∂O        ∂L/∂P = ∂L/∂O Vᵀ        ∂L/∂S = P ∘ (∂L/∂P − Σ_j P ∘ ∂L/∂P)
 *   ∂L/∂Q = ∂L/∂S K / √dₕ        ∂L/∂K = ∂L/∂Sᵀ Q / √dₕ
 *
 * @param q [batch, queries, d]  @param k [batch, keys, d]  @param v [batch, keys, d]
 * @returns [batch, queries, d]
 * @throws InputError when the shapes don't fit each other, or d is no multiple of the heads
 */
export const attention: Op<AttentionInputs, AttentionAttrs> = differentiable("Attention", {
  saved: ["q", "k", "v", "p"],
  gradients: ["q", "k", "v"],

  forward({ q, k, v }: AttentionInputs, { heads = 1 }: AttentionAttrs) {
    checkAttention(q, k, v, heads);
    const [Q, K, V] = [q, k, v].map((x) => apart(x, heads)); // [batch, heads, tokens, d / heads]
    const scores = tf.mul(tf.matMul(Q, K, false, true), scaleOf(q, heads)); // [batch, heads, queries, keys]
    const p = tf.softmax(scores);
    return { output: together(tf.matMul(p, V)), saved: { q, k, v, p } };
  },

  backward(dy, { q, k, v, p }, { heads = 1 }) {
    const [dO, Q, K, V] = [dy, q, k, v].map((x) => apart(x, heads));
    const dP = tf.matMul(dO, V, false, true); // [batch, heads, queries, keys]
    const weighted = tf.mul(dP, p);
    const dS = tf.mul(tf.sub(weighted, tf.mul(p, tf.sum(weighted, -1, true))), scaleOf(q, heads));
    return {
      q: together(tf.matMul(dS, K)), // [batch, queries, d]
      k: together(tf.matMul(dS, Q, true)), // [batch, keys, d]
      v: together(tf.matMul(p, dO, true)), // [batch, keys, d]
    };
  },
});

const scaleOf = ({ shape }: tf.Tensor, heads: number): number => Math.sqrt(heads / (shape as number[])[2]);

/** [batch, tokens, d] -> [batch, heads, tokens, d / heads] */
function apart(x: tf.Tensor, heads: number): tf.Tensor {
  const [batch, tokens, d] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, tokens, heads, d / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, tokens, dₕ] -> [batch, tokens, heads · dₕ] */
function together(x: tf.Tensor): tf.Tensor {
  const [batch, heads, tokens, dh] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * dh]);
}

/** @throws InputError when the shapes don't fit each other, or d is no multiple of the heads */
export function checkAttention(q: tf.TensorInfo, k: tf.TensorInfo, v: tf.TensorInfo, heads: number): void {
  const [, , d] = q.shape;
  const fits =
    [q, k, v].every(({ shape }) => shape.length === 3) &&
    q.shape[0] === k.shape[0] &&
    d === k.shape[2] &&
    tf.util.arraysEqual(k.shape, v.shape) &&
    d % heads === 0;
  if (!fits) {
    throw new InputError(
      `attention got q [${q.shape}], k [${k.shape}], v [${v.shape}] and ${heads} head(s); expected q [batch, queries, d], ` +
        "k and v [batch, keys, d], d a multiple of the heads",
    );
  }
}
