import type { AttentionAttrs } from "../../ops/attention.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";

/** o[n, i, c] = Σ_j p[j] v[n, j, c], p = softmax over j of Σ q[n, i, ·] k[n, j, ·] / √dₕ over the channels of c's head */
export function attentionTextbook({ q, k, v }: Inputs64, { heads = 1 }: AttentionAttrs): Array64[] {
  const [batch, queries, d] = q.shape;
  const keys = k.shape[1];
  const dh = d / heads;
  const o = zeros64(q.shape);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < queries; i++) {
      for (let head = 0; head < heads; head++) {
        const scores = Array.from({ length: keys }, (_, j) => {
          let sum = 0;
          for (let c = head * dh; c < (head + 1) * dh; c++) {
            sum += q.values[(n * queries + i) * d + c] * k.values[(n * keys + j) * d + c];
          }
          return sum / Math.sqrt(dh);
        });
        const total = scores.reduce((sum, s) => sum + Math.exp(s), 0);
        for (let c = head * dh; c < (head + 1) * dh; c++) {
          for (const [j, s] of scores.entries()) {
            o.values[(n * queries + i) * d + c] += (Math.exp(s) / total) * v.values[(n * keys + j) * d + c];
          }
        }
      }
    }
  }
  return [o];
}
