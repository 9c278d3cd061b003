import type { LayerNormAttrs } from "../../ops/layer-norm.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";

/** y[r, k] = γ[k] (x[r, k] − μ_r) / √(σ²_r + ε) + β[k], μ and σ² over k */
export function layerNormTextbook({ x, gamma, beta }: Inputs64, { epsilon = 1e-5 }: LayerNormAttrs): Array64[] {
  const d = gamma.values.length;
  const y = zeros64(x.shape);
  for (let row = 0; row < x.values.length; row += d) {
    let [mean, variance] = [0, 0];
    for (let k = 0; k < d; k++) mean += x.values[row + k] / d;
    for (let k = 0; k < d; k++) variance += (x.values[row + k] - mean) ** 2 / d;
    for (let k = 0; k < d; k++) {
      const normalised = (x.values[row + k] - mean) / Math.sqrt(variance + epsilon);
      y.values[row + k] = gamma.values[k] * normalised + beta.values[k];
    }
  }
  return [y];
}
