import type { EluAttrs } from "../../ops/elu.ts";
import type { LeakyReluAttrs } from "../../ops/leaky-relu.ts";
import { type Array64, type Inputs64, map64 } from "../array64.ts";

export const sigmoid64 = (x: number): number => 1 / (1 + Math.exp(-x));

/** y = 1 / (1 + e⁻ˣ) */
export const sigmoidTextbook = ({ x }: Inputs64): Array64[] => [map64(sigmoid64, x)];

/** y = tanh x */
export const tanhTextbook = ({ x }: Inputs64): Array64[] => [map64(Math.tanh, x)];

/** y = x σ(x) */
export const siluTextbook = ({ x }: Inputs64): Array64[] => [map64((value) => value * sigmoid64(value), x)];

/** y = x, or α (eˣ − 1) below 0 */
export function eluTextbook({ x }: Inputs64, { alpha = 1 }: EluAttrs): Array64[] {
  return [map64((value) => (value > 0 ? value : alpha * Math.expm1(value)), x)];
}

/** y = x, or a x below 0 */
export function leakyReluTextbook({ x }: Inputs64, { slope = 0.01 }: LeakyReluAttrs): Array64[] {
  return [map64((value) => (value > 0 ? value : slope * value), x)];
}
