import type { RelativePositionsAttrs } from "../../ops/relative-positions.ts";
import type { RotaryAttrs } from "../../ops/rotary.ts";
import type { SinusoidalPositionsAttrs } from "../../ops/sinusoidal-positions.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";

/** y[n, p, 2i] = s x[n, p, 2i] + sin(p / 10000^(2i / d)), y[n, p, 2i + 1] = s x[n, p, 2i + 1] + cos(p / 10000^(2i / d)) */
export function sinusoidalPositionsTextbook(
  { x }: Inputs64,
  { scale = 1, offset = 0 }: SinusoidalPositionsAttrs,
): Array64[] {
  const [batch, tokens, d] = x.shape;
  const y = zeros64(x.shape);
  for (let n = 0; n < batch; n++) {
    for (let p = 0; p < tokens; p++) {
      for (let i = 0; 2 * i < d; i++) {
        const at = (n * tokens + p) * d + 2 * i;
        const angle = (offset + p) / 10000 ** ((2 * i) / d);
        y.values[at] = scale * x.values[at] + Math.sin(angle);
        if (2 * i + 1 < d) y.values[at + 1] = scale * x.values[at + 1] + Math.cos(angle);
      }
    }
  }
  return [y];
}

/** Each head's pair i at place p as a complex number, times e^(√−1 p b^(−2i / dₕ)) */
export function rotaryTextbook(
  { x }: Inputs64,
  { heads = 1, pairs = "interleaved", base = 10000, offset = 0 }: RotaryAttrs,
): Array64[] {
  const [batch, tokens, d] = x.shape;
  const dh = d / heads;
  const y = zeros64(x.shape);
  for (let n = 0; n < batch; n++) {
    for (let p = 0; p < tokens; p++) {
      for (let head = 0; head < heads; head++) {
        const row = (n * tokens + p) * d + head * dh;
        for (let i = 0; i < dh / 2; i++) {
          const [first, second] = pairs === "halves" ? [row + i, row + i + dh / 2] : [row + 2 * i, row + 2 * i + 1];
          const angle = (offset + p) * base ** ((-2 * i) / dh);
          const [a, b] = [x.values[first], x.values[second]];
          y.values[first] = a * Math.cos(angle) - b * Math.sin(angle);
          y.values[second] = a * Math.sin(angle) + b * Math.cos(angle);
        }
      }
    }
  }
  return [y];
}

/** B[h, i, j] = T[b, h], where b counts the distances at which a bucket begins that are not above that of the pair */
export function relativePositionsTextbook(
  { table }: Inputs64,
  { queries, keys, causal = false, maxDistance = 128 }: RelativePositionsAttrs,
): Array64[] {
  const [buckets, heads] = table.shape;
  const all = causal ? buckets : buckets / 2;
  const exact = Math.floor(all / 2);
  const begins = Array.from({ length: all }, (_, b) =>
    b < exact ? b : exact * (maxDistance / exact) ** ((b - exact) / (all - exact)),
  );
  const y = zeros64([heads, queries, keys]);
  for (let h = 0; h < heads; h++) {
    for (let i = 0; i < queries; i++) {
      for (let j = 0; j < keys; j++) {
        const before = keys - queries + i - j;
        const r = causal ? Math.max(before, 0) : Math.abs(before);
        const b = begins.filter((begin) => begin <= r + 1e-9).length - 1 + (!causal && before < 0 ? all : 0);
        y.values[(h * queries + i) * keys + j] = table.values[b * heads + h];
      }
    }
  }
  return [y];
}
