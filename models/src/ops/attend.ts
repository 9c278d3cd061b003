import type * as tf from "@tensorflow/tfjs-core";
import { type AttentionAttrs, type AttentionInputs, attention } from "./attention.ts";
import { attentionLean } from "./attention-lean.ts";

/**
 * Elements of P from which on it is computed twice rather than kept: 64 MiB of float32, half of what WebGPU lets a shader
 * bind at once. A training step keeps P of every layer, and what is larger than a processor's caches costs about as much
 * to write and read again as to compute from q and k.
 */
export const LARGEST_KEPT = 2 ** 24;

/**
 * Attention in the form that suits its size: `attentionLean` where P would have more than `LARGEST_KEPT` elements, unless
 * there is dropout, whose factors are as large themselves.
 *
 * @returns [batch, queries, d]
 */
export function attend(inputs: AttentionInputs, attrs: AttentionAttrs = {}): tf.Tensor {
  const [batch, queries] = inputs.q.shape;
  const [, keys] = inputs.k.shape;
  const elements = batch * (attrs.heads ?? 1) * queries * keys;
  if (inputs.dropout !== undefined || elements <= LARGEST_KEPT) return attention(inputs, attrs);
  const { q, k, v, lengths, bias } = inputs;
  return attentionLean({ q, k, v, lengths, bias }, attrs);
}
