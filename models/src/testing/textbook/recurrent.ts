import type { GruAttrs } from "../../ops/gru.ts";
import type { LstmAttrs } from "../../ops/lstm.ts";
import type { RecurrentAttrs } from "../../ops/recurrence.ts";
import type { RnnAttrs } from "../../ops/rnn.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";

const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));

/** Σ_k v[k] M[k, column], for v a row, or a part of one, of so many numbers */
function product(v: ArrayLike<number>, matrix: Array64, column: number): number {
  const columns = matrix.shape[1];
  let sum = 0;
  for (let k = 0; k < v.length; k++) sum += v[k] * matrix.values[k * columns + column];
  return sum;
}

/** One sequence's step: x_t and the states (h, or h and c) before it -> the states after it. */
type Step = (x: Float64Array, states: number[][]) => number[][];

/**
 * Takes each sequence's own steps in order, writes h where it is after them, and leaves the rest of y 0.
 *
 * @returns y [batch, time, d], then each state after the last step [batch, d]
 */
function unrolled(inputs: Inputs64, stateNames: readonly string[], { reverse }: RecurrentAttrs, step: Step): Array64[] {
  const { x, weightHh, lengths } = inputs;
  const [batch, time, inSize] = x.shape;
  const [d] = weightHh.shape;
  const y = zeros64([batch, time, d]);
  const last = stateNames.map(() => zeros64([batch, d]));
  for (let n = 0; n < batch; n++) {
    const length = lengths === undefined ? time : Math.min(lengths.values[n], time);
    let states = stateNames.map((name) =>
      Array.from({ length: d }, (_, j) => (inputs[name] === undefined ? 0 : inputs[name].values[n * d + j])),
    );
    for (let taken = 0; taken < length; taken++) {
      const row = n * time + (reverse ? length - 1 - taken : taken);
      states = step(x.values.subarray(row * inSize, (row + 1) * inSize), states);
      y.values.set(states[0], row * d);
    }
    for (const [i, state] of states.entries()) last[i].values.set(state, n * d);
  }
  return [y, ...last];
}

/**
 * h′[j] = φ(Σ x W + Σ h U + b)
 *
 * @param onSum is told every sum that φ is taken of, for cases that keep away from the ReLU's kink
 */
export function rnnTextbook(
  inputs: Inputs64,
  { activation, ...attrs }: RnnAttrs,
  onSum: (a: number) => void = () => {},
): Array64[] {
  const { weightIh, weightHh, biasIh, biasHh } = inputs;
  return unrolled(inputs, ["h0"], attrs, (x, [h]) => [
    h.map((_, j) => {
      const bias = (biasIh?.values[j] ?? 0) + (biasHh?.values[j] ?? 0);
      const a = product(x, weightIh, j) + product(h, weightHh, j) + bias;
      onSum(a);
      return activation === "relu" ? Math.max(a, 0) : Math.tanh(a);
    }),
  ]);
}

/** Gates i, f, g, o (coupled: i, g, o); c′ = f c + i g, h′ = o tanh c′ */
export function lstmTextbook(inputs: Inputs64, { coupled, ...attrs }: LstmAttrs): Array64[] {
  const { weightIh, weightHh, biasIh, biasHh, peephole } = inputs;
  const [d] = weightHh.shape;
  const order = coupled ? "igo" : "ifgo";
  const seen = coupled ? "io" : "ifo";
  return unrolled(inputs, ["h0", "c0"], attrs, (x, [h, c]) => {
    /** A gate's sum for unit j, which sees `cell` through its peephole. */
    const a = (gate: string, j: number, cell = 0) => {
      const column = order.indexOf(gate) * d + j;
      const bias = (biasIh?.values[column] ?? 0) + (biasHh?.values[column] ?? 0);
      const peek = peephole === undefined || gate === "g" ? 0 : peephole.values[seen.indexOf(gate) * d + j] * cell;
      return product(x, weightIh, column) + product(h, weightHh, column) + bias + peek;
    };
    const cells = c.map((cell, j) => {
      const i = sigmoid(a("i", j, cell));
      const f = coupled ? 1 - i : sigmoid(a("f", j, cell));
      return f * cell + i * Math.tanh(a("g", j));
    });
    return [cells.map((cell, j) => sigmoid(a("o", j, cell)) * Math.tanh(cell)), cells];
  });
}

/** Gates r, z, n; h′ = (1 − z) n + z h */
export function gruTextbook(inputs: Inputs64, { resetAfter = true, ...attrs }: GruAttrs): Array64[] {
  const { weightIh, weightHh, biasIh, biasHh } = inputs;
  const [d] = weightHh.shape;
  return unrolled(inputs, ["h0"], attrs, (x, [h]) => {
    const fromX = (column: number) => product(x, weightIh, column) + (biasIh?.values[column] ?? 0);
    const fromH = (v: number[], column: number) => product(v, weightHh, column) + (biasHh?.values[column] ?? 0);
    const r = h.map((_, j) => sigmoid(fromX(j) + fromH(h, j)));
    const z = h.map((_, j) => sigmoid(fromX(d + j) + fromH(h, d + j)));
    const reset = h.map((value, j) => r[j] * value);
    const n = h.map((_, j) => {
      const column = 2 * d + j;
      return Math.tanh(fromX(column) + (resetAfter ? r[j] * fromH(h, column) : fromH(reset, column)));
    });
    return [h.map((value, j) => (1 - z[j]) * n[j] + z[j] * value)];
  });
}
