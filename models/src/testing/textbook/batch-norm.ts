import type { BatchNormAttrs } from "../../ops/batch-norm.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";
import { activate64 } from "./elementwise.ts";

/** Ioffe & Szegedy 2015, algorithm 1, with PyTorch's running statistics: y, the new running mean and variance, the batch's */
export function batchNormTrainingTextbook(
  inputs: Inputs64,
  { epsilon = 1e-5, momentum = 0.1, activation }: BatchNormAttrs,
): Array64[] {
  const { x, gamma, beta, runningMean, runningVariance } = inputs;
  const channels = gamma.values.length;
  const count = x.values.length / channels;
  const y = zeros64(x.shape);
  const newMean = zeros64([channels]);
  const newVariance = zeros64([channels]);
  const [means, variances] = [zeros64([channels]), zeros64([channels])];
  for (let c = 0; c < channels; c++) {
    let mean = 0;
    for (let i = c; i < x.values.length; i += channels) mean += x.values[i] / count;
    let variance = 0;
    for (let i = c; i < x.values.length; i += channels) variance += (x.values[i] - mean) ** 2 / count;
    for (let i = c; i < x.values.length; i += channels) {
      const z = (gamma.values[c] * (x.values[i] - mean)) / Math.sqrt(variance + epsilon) + beta.values[c];
      y.values[i] = activate64(z, activation);
    }
    const unbiased = (variance * count) / (count - 1);
    newMean.values[c] = (1 - momentum) * runningMean.values[c] + momentum * mean;
    newVariance.values[c] = (1 - momentum) * runningVariance.values[c] + momentum * unbiased;
    means.values[c] = mean;
    variances.values[c] = variance;
  }
  return [y, newMean, newVariance, means, variances];
}

/** Ioffe & Szegedy 2015, algorithm 2: y = γ (x − μ) / √(σ² + ε) + β with the running μ and σ² */
export function batchNormInferenceTextbook(
  inputs: Inputs64,
  { epsilon = 1e-5, activation }: BatchNormAttrs,
): Array64[] {
  const { x, gamma, beta, runningMean, runningVariance } = inputs;
  const channels = gamma.values.length;
  const y = zeros64(x.shape);
  for (let i = 0; i < x.values.length; i++) {
    const c = i % channels;
    const normalised = (x.values[i] - runningMean.values[c]) / Math.sqrt(runningVariance.values[c] + epsilon);
    y.values[i] = activate64(gamma.values[c] * normalised + beta.values[c], activation);
  }
  return [y];
}
