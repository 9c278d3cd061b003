import type { SoftmaxCrossEntropyAttrs } from "../../ops/softmax-cross-entropy.ts";
import type { Array64, Inputs64 } from "../array64.ts";

/** L = −(1 / N) Σ_n Σ_k q_nk (z_nk − log Σ_j exp z_nj) with q = (1 − s) onehot(label) + s / K, over the N rows with a label */
export function softmaxCrossEntropyTextbook(
  { logits, labels }: Inputs64,
  { labelSmoothing = 0 }: SoftmaxCrossEntropyAttrs,
): Array64[] {
  const [batch, classes] = logits.shape;
  let [loss, rows] = [0, 0];
  for (let n = 0; n < batch; n++) {
    if (labels.values[n] < 0) continue;
    rows++;
    const z = logits.values.subarray(n * classes, (n + 1) * classes);
    const largest = Math.max(...z);
    const logSum = largest + Math.log(z.reduce((sum, value) => sum + Math.exp(value - largest), 0));
    for (let k = 0; k < classes; k++) {
      const target = (k === labels.values[n] ? 1 - labelSmoothing : 0) + labelSmoothing / classes;
      loss -= target * (z[k] - logSum);
    }
  }
  return [{ shape: [], values: Float64Array.of(loss / Math.max(rows, 1)) }];
}
