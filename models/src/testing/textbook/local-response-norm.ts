import type { LocalResponseNormAttrs } from "../../ops/local-response-norm.ts";
import { type Array64, type Inputs64, map64 } from "../array64.ts";

/** y[.., c] = x[.., c] (k + α Σ x[.., j]²)^−β over |j − c| ≤ (n − 1) / 2 */
export function localResponseNormTextbook(
  { x }: Inputs64,
  { size = 5, alpha = 1e-4, beta = 0.75, k = 2 }: LocalResponseNormAttrs,
): Array64[] {
  const channels = x.shape[x.shape.length - 1];
  const reach = (size - 1) / 2;
  const scales = {
    shape: x.shape,
    values: x.values.map((_, i) => {
      const c = i % channels;
      let sum = 0;
      for (let j = Math.max(0, c - reach); j <= Math.min(channels - 1, c + reach); j++) sum += x.values[i - c + j] ** 2;
      return k + alpha * sum;
    }),
  };
  return [map64((value, scale) => value * scale ** -beta, x, scales)];
}
