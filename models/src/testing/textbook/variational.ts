import { type Array64, type Inputs64, zeros64 } from "../array64.ts";

/** z[n, k, i] = μ[n, i] + e^(½ v[n, i]) ε[n, k, i] */
export function reparameterizeTextbook({ mean, logVariance, noise }: Inputs64): Array64[] {
  const d = mean.shape[1];
  const draws = noise.values.length / mean.values.length;
  const z = zeros64(noise.shape);
  for (let row = 0; row < noise.values.length / d; row++) {
    const from = Math.floor(row / draws) * d;
    for (let i = 0; i < d; i++) {
      const deviation = Math.exp(logVariance.values[from + i] / 2);
      z.values[row * d + i] = mean.values[from + i] + deviation * noise.values[row * d + i];
    }
  }
  return [z];
}

/** L[n] = −log (1/K) Σ_k exp(log p(x|z_k) + ½ Σ_i (v[n, i] + ε[n, k, i]² − z[n, k, i]²)) */
export function importanceBoundTextbook({ logLikelihood, z, logVariance, noise }: Inputs64): Array64[] {
  const [batch, draws, d] = z.shape;
  const bound = zeros64([batch]);
  for (let n = 0; n < batch; n++) {
    const logWeights = Array.from({ length: draws }, (_, k) => {
      const row = n * draws + k;
      let logWeight = logLikelihood.values[row];
      for (let i = 0; i < d; i++) {
        const [e, value] = [noise.values[row * d + i], z.values[row * d + i]];
        logWeight += 0.5 * (logVariance.values[n * d + i] + e ** 2 - value ** 2);
      }
      return logWeight;
    });
    const largest = Math.max(...logWeights);
    const sum = logWeights.reduce((total, w) => total + Math.exp(w - largest), 0);
    bound.values[n] = -(largest + Math.log(sum / draws));
  }
  return [bound];
}

/** L[n] = ½ Σ_i ((x[n, i] − μ[n, i])² / e^v[n] + v[n] + log 2π) */
export function gaussianNllTextbook({ mean, logVariance, target }: Inputs64): Array64[] {
  const [batch] = mean.shape;
  const loss = zeros64([batch]);
  const size = mean.values.length / batch;
  for (const [i, value] of mean.values.entries()) {
    const n = Math.floor(i / size);
    const v = logVariance.values[n];
    loss.values[n] += 0.5 * ((target.values[i] - value) ** 2 / Math.exp(v) + v + Math.log(2 * Math.PI));
  }
  return [loss];
}
