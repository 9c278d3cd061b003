import type { GroupNormAttrs } from "../../ops/group-norm.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";

/** y[n, i, c] = γ[c] (x[n, i, c] − μ) / √(σ² + ε) + β[c], μ and σ² over all i and the channels of c's group */
export function groupNormTextbook(
  { x, gamma, beta }: Inputs64,
  { groups = 1, epsilon = 1e-5 }: GroupNormAttrs,
): Array64[] {
  const [batch, channels] = [x.shape[0], x.shape[x.shape.length - 1]];
  const places = x.values.length / batch / channels;
  const size = channels / groups;
  const y = zeros64(x.shape);
  for (let n = 0; n < batch; n++) {
    for (let group = 0; group < groups; group++) {
      const members: number[] = [];
      for (let i = 0; i < places; i++) {
        for (let k = 0; k < size; k++) members.push((n * places + i) * channels + group * size + k);
      }
      const mean = members.reduce((sum, at) => sum + x.values[at], 0) / members.length;
      const variance = members.reduce((sum, at) => sum + (x.values[at] - mean) ** 2, 0) / members.length;
      for (const at of members) {
        const normalised = (x.values[at] - mean) / Math.sqrt(variance + epsilon);
        const c = at % channels;
        y.values[at] = (gamma?.values[c] ?? 1) * normalised + (beta?.values[c] ?? 0);
      }
    }
  }
  return [y];
}
