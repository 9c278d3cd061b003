import type { AttentionAttrs } from "../../ops/attention.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";

/**
 * o[n, i, c] = Σ_j p[j] m[n, h, i, j] v[n, j, c], p = softmax of s Σ q[n, i, ·] k[n, j, ·] + b[h, i, j] over the j that i
 * sees, the sum over the channels of c's head h
 */
export function attentionTextbook(inputs: Inputs64, { heads = 1, causal, scale }: AttentionAttrs): Array64[] {
  const { q, k, v, lengths, bias, dropout } = inputs;
  const [batch, queries, d] = q.shape;
  const keys = k.shape[1];
  const dh = d / heads;
  const o = zeros64(q.shape);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < queries; i++) {
      const seen = Math.min(lengths ? lengths.values[n] : keys, causal ? i + 1 + keys - queries : keys);
      for (let head = 0; head < heads; head++) {
        const scores = Array.from({ length: Math.max(seen, 0) }, (_, j) => {
          let sum = 0;
          for (let c = head * dh; c < (head + 1) * dh; c++) {
            sum += q.values[(n * queries + i) * d + c] * k.values[(n * keys + j) * d + c];
          }
          return sum * (scale ?? 1 / Math.sqrt(dh)) + (bias ? at(bias, head, i, j) : 0);
        });
        const total = scores.reduce((sum, s) => sum + Math.exp(s), 0);
        for (let c = head * dh; c < (head + 1) * dh; c++) {
          for (const [j, s] of scores.entries()) {
            const p = (Math.exp(s) / total) * (dropout ? at(dropout, n, head, i, j) : 1);
            o.values[(n * queries + i) * d + c] += p * v.values[(n * keys + j) * d + c];
          }
        }
      }
    }
  }
  return [o];
}

/**
 * t = tanh(query[n, i, ·] + keys[n, j, ·]), a[n, i, j] = softmax of Σ v t over the j before the row's length,
 * c[n, i, k] = Σ_j a[n, i, j] values[n, j, k]
 */
export function additiveAttentionTextbook({ query, keys, v, values, lengths }: Inputs64): Array64[] {
  const [batch, places, d] = keys.shape;
  const queries = query.shape.length === 2 ? 1 : query.shape[1];
  const e = values.shape[2];
  const context = zeros64([...query.shape.slice(0, -1), e]);
  const weights = zeros64([...query.shape.slice(0, -1), places]);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < queries; i++) {
      const row = n * queries + i;
      const energies = Array.from({ length: lengths ? lengths.values[n] : places }, (_, j) => {
        let sum = 0;
        for (let c = 0; c < d; c++) {
          sum += v.values[c] * Math.tanh(query.values[row * d + c] + keys.values[(n * places + j) * d + c]);
        }
        return sum;
      });
      const total = energies.reduce((sum, energy) => sum + Math.exp(energy), 0);
      for (const [j, energy] of energies.entries()) {
        const a = Math.exp(energy) / total;
        weights.values[row * places + j] = a;
        for (let c = 0; c < e; c++) context.values[row * e + c] += a * values.values[(n * places + j) * e + c];
      }
    }
  }
  return [context, weights];
}

/** The element at an index, which counts for nothing along an axis of one element. */
function at({ shape, values }: Array64, ...index: number[]): number {
  return values[index.reduce((place, i, axis) => place * shape[axis] + (shape[axis] === 1 ? 0 : i), 0)];
}
