import { type Array64, type Inputs64, map64 } from "../array64.ts";

/** W / Σ_{i,o} v[i] W[i, o] u[o] */
export function spectralNormTextbook({ weight, u, v }: Inputs64): Array64[] {
  const out = u.values.length;
  const sigma = weight.values.reduce((sum, w, at) => sum + v.values[Math.floor(at / out)] * w * u.values[at % out], 0);
  return [map64((w) => w / sigma, weight)];
}
