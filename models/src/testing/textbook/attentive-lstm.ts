import { type Array64, type Inputs64, zeros64 } from "../array64.ts";
import { additiveAttentionTextbook } from "./attention.ts";
import { lstmTextbook } from "./recurrent.ts";

/** One sentence and one step at a time: z of q = h W_q + b_q by additive attention, then a step of an LSTM over [x; z]. */
export function attentiveLstmTextbook(inputs: Inputs64): Array64[] {
  const { x, weightIh, weightHh, biasIh, biasHh, queryWeight, queryBias, v, keys, values, lengths } = inputs;
  const [batch, time, e] = x.shape;
  const [[d, k], [, places, m]] = [queryWeight.shape, values.shape];
  const [y, seen, looked] = [d, m, places].map((width) => zeros64([batch, time, width]));
  for (let n = 0; n < batch; n++) {
    let [h, c] = [row(inputs.h0, n), row(inputs.c0, n)]; // [1, d] each
    const memory = {
      ...{ v, keys: reshaped(row(keys, n), [1, places, k]), values: reshaped(row(values, n), [1, places, m]) },
      ...(lengths && { lengths: { shape: [1], values: lengths.values.slice(n, n + 1) } }),
    };
    for (let t = 0; t < time; t++) {
      const query = zeros64([1, k]);
      for (let j = 0; j < k; j++) {
        query.values[j] = queryBias.values[j];
        for (let i = 0; i < d; i++) query.values[j] += h.values[i] * queryWeight.values[i * k + j];
      }
      const [z, a] = additiveAttentionTextbook({ query, ...memory });
      const read = zeros64([1, 1, e + m]);
      read.values.set(x.values.subarray((n * time + t) * e, (n * time + t + 1) * e));
      read.values.set(z.values, e);
      [, h, c] = lstmTextbook({ x: read, weightIh, weightHh, biasIh, biasHh, h0: h, c0: c }, {});
      for (const [to, from] of [[y, h] as const, [seen, z] as const, [looked, a] as const]) {
        to.values.set(from.values, (n * time + t) * from.values.length);
      }
    }
  }
  return [y, seen, looked];
}

const reshaped = ({ values }: Array64, shape: number[]): Array64 => ({ shape, values });

/** Row n of the first axis, as an array of one row. */
function row({ shape, values }: Array64, n: number): Array64 {
  const width = values.length / shape[0];
  return { shape: [1, ...shape.slice(1)], values: values.slice(n * width, (n + 1) * width) };
}
