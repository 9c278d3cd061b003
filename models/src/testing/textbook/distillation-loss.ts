import type { DistillationLossAttrs } from "../../ops/distillation-loss.ts";
import type { Array64, Inputs64 } from "../array64.ts";

/** L = (T² / N) Σ_n Σ_k p_nk (log p_nk − log q_nk), q and p the softmax of z / T and of the teacher's v / T */
export function distillationLossTextbook(
  { logits, teacher }: Inputs64,
  { temperature = 1 }: DistillationLossAttrs,
): Array64[] {
  const [batch, classes] = logits.shape;
  const logProbabilities = ({ values }: Array64, n: number): Float64Array => {
    const z = values.subarray(n * classes, (n + 1) * classes).map((value) => value / temperature);
    const largest = Math.max(...z);
    const logSum = largest + Math.log(z.reduce((sum, value) => sum + Math.exp(value - largest), 0));
    return z.map((value) => value - logSum);
  };
  let loss = 0;
  for (let n = 0; n < batch; n++) {
    const [logQ, logP] = [logProbabilities(logits, n), logProbabilities(teacher, n)];
    for (let k = 0; k < classes; k++) loss += (temperature ** 2 / batch) * Math.exp(logP[k]) * (logP[k] - logQ[k]);
  }
  return [{ shape: [], values: Float64Array.of(loss) }];
}
