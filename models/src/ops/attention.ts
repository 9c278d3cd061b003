import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { apart, keptWeights, overBatch, scaleOf, together } from "./attention-scores.ts";
import { differentiable, type Op } from "./differentiable.ts";

export type AttentionInputs = {
  q: tf.Tensor;
  k: tf.Tensor;
  v: tf.Tensor;
  lengths?: tf.Tensor;
  bias?: tf.Tensor;
  dropout?: tf.Tensor;
};
export interface AttentionAttrs {
  /** h: q, k and v are cut into so many parts of d / h channels, each with an attention of its own */
  heads?: number;
  /** query i sees keys j <= i + keys − queries only: the last query sees all, so that queries may follow cached keys */
  causal?: boolean;
  /** s, 1 / √dₕ unless given (T5 has 1) */
  scale?: number;
}

/**
 * Scaled dot-product attention in several heads (Vaswani et al. 2017, eq. 1 and sec. 3.2.2, without its projections).
 *
 *   P = softmax(s Q Kᵀ + B)        O = (P ∘ M) V        for each head, of dₕ = d / h channels
 *
 * B is a bias (Raffel et al. 2020, sec. 2.1, relative positions), M dropout's factors. A masked key has P = 0, and a
 * query whose keys are all masked has O = 0. With one head and a scale of 1 this is the `dot` score of Luong et al.
 * (2015, sec. 3.1); with a dense layer before q, their `general`.
 *
 * Backward:
 *
 *   ∂L/∂V = (P ∘ M)ᵀ ∂L/∂O        ∂L/∂P = M ∘ ∂L/∂O Vᵀ        ∂L/∂S = P ∘ (∂L/∂P − Σ_j P ∘ ∂L/∂P)
 *   ∂L/∂Q = s ∂L/∂S K        ∂L/∂K = s ∂L/∂Sᵀ Q        ∂L/∂B = Σ ∂L/∂S over the batch
 *
 * @param q [batch, queries, d]  @param k [batch, keys, d]  @param v [batch, keys, d]
 * @param lengths int32 [batch]: of row n, keys from lengths[n] on are masked
 * @param bias B [heads or 1, queries, keys]
 * @param dropout M [batch, heads, queries, keys] or 1 along any of these, 0 or 1 / (1 − rate) each
 * @returns [batch, queries, d]
 * @throws InputError when the shapes don't fit each other, or d is no multiple of the heads
 */
export const attention: Op<AttentionInputs, AttentionAttrs> = differentiable("Attention", {
  saved: ["q", "k", "v", "p", "dropout", "bias"],
  gradients: ["q", "k", "v", "bias"],

  forward(inputs: AttentionInputs, attrs: AttentionAttrs) {
    checkAttention(inputs, attrs);
    const { q, k, v, lengths, bias, dropout } = inputs;
    const { heads = 1 } = attrs;
    const [Q, K, V] = [q, k, v].map((x) => apart(x, heads)); // [batch, heads, tokens, d / heads]
    const p = keptWeights(Q, K, { lengths, bias }, { ...attrs, scale: scaleOf(q, attrs) }); // [batch, heads, queries, keys]
    const dropped = dropout === undefined ? p : tf.mul(p, dropout);
    return { output: together(tf.matMul(dropped, V)), saved: { q, k, v, p, dropout, bias } };
  },

  backward(dy, { q, k, v, p, dropout, bias }, attrs) {
    const { heads = 1 } = attrs;
    const [dO, Q, K, V] = [dy, q, k, v].map((x) => apart(x, heads));
    const dropped = dropout === undefined ? p : tf.mul(p, dropout);
    const dDropped = tf.matMul(dO, V, false, true); // [batch, heads, queries, keys]
    const dP = dropout === undefined ? dDropped : tf.mul(dDropped, dropout);
    const weighted = tf.mul(dP, p);
    const dS = tf.sub(weighted, tf.mul(p, tf.sum(weighted, -1, true)));
    const scaled = tf.mul(dS, scaleOf(q, attrs));
    return {
      q: together(tf.matMul(scaled, K)), // [batch, queries, d]
      k: together(tf.matMul(scaled, Q, true)), // [batch, keys, d]
      v: together(tf.matMul(dropped, dO, true)), // [batch, keys, d]
      ...(bias && { bias: overBatch(dS, bias) }),
    };
  },
});

/**
 * P of `attention`: how much of each query's look every key has. It has no gradient of its own, and nothing is dropped.
 *
 * @param q [batch, queries, d]  @param k [batch, keys, d]  @param lengths int32 [batch]
 * @returns [batch, heads, queries, keys]; rows sum to 1
 */
export function attentionWeights(
  { q, k, lengths }: Pick<AttentionInputs, "q" | "k" | "lengths">,
  attrs: AttentionAttrs = {},
): tf.Tensor {
  const { heads = 1 } = attrs;
  return keptWeights(apart(q, heads), apart(k, heads), { lengths }, { ...attrs, scale: scaleOf(q, attrs) });
}

type Shapes = { [name in keyof AttentionInputs]: tf.TensorInfo };

/** @throws InputError when the shapes don't fit each other, or d is no multiple of the heads */
export function checkAttention(inputs: Shapes, { heads = 1 }: AttentionAttrs): void {
  const { q, k, v, lengths, bias, dropout } = inputs;
  const [batch, queries, d] = q.shape;
  const keys = k.shape[1];
  const fits =
    [q, k, v].every(({ shape }) => shape.length === 3) &&
    batch === k.shape[0] &&
    d === k.shape[2] &&
    tf.util.arraysEqual(k.shape, v.shape) &&
    d % heads === 0;
  if (!fits) {
    throw new InputError(
      `attention got q [${q.shape}], k [${k.shape}], v [${v.shape}] and ${heads} head(s); expected q [batch, queries, d], ` +
        "k and v [batch, keys, d], d a multiple of the heads",
    );
  }
  if (lengths && !(lengths.dtype === "int32" && tf.util.arraysEqual(lengths.shape, [batch]))) {
    throw new InputError(`attention got lengths ${lengths.dtype} [${lengths.shape}]; expected int32 [${batch}]`);
  }
  if (bias && ![1, heads].some((first) => tf.util.arraysEqual(bias.shape, [first, queries, keys]))) {
    throw new InputError(
      `attention got a bias of shape [${bias.shape}]; expected [${heads} or 1, ${queries}, ${keys}]: [heads or 1, queries, keys]`,
    );
  }
  const full = [batch, heads, queries, keys];
  const spreads = dropout?.shape.every((size, axis) => size === 1 || size === full[axis]);
  if (dropout && !(dropout.shape.length === 4 && spreads)) {
    throw new InputError(
      `attention got dropout factors of shape [${dropout.shape}]; expected [${full}], or 1 for any of these`,
    );
  }
}
