import type { RmsNormAttrs } from "../../ops/rms-norm.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";

/** y[r, k] = γ[k] x[r, k] / √(Σ_k x[r, k]² / d + ε) */
export function rmsNormTextbook({ x, gamma }: Inputs64, { epsilon = 1e-6 }: RmsNormAttrs): Array64[] {
  const d = gamma.values.length;
  const y = zeros64(x.shape);
  for (let row = 0; row < x.values.length; row += d) {
    let meanSquare = 0;
    for (let k = 0; k < d; k++) meanSquare += x.values[row + k] ** 2 / d;
    for (let k = 0; k < d; k++) {
      y.values[row + k] = (gamma.values[k] * x.values[row + k]) / Math.sqrt(meanSquare + epsilon);
    }
  }
  return [y];
}
