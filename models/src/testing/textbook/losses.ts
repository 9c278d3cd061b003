import type { GaussianKlAttrs } from "../../ops/gaussian-kl.ts";
import type { HuberLossAttrs } from "../../ops/huber-loss.ts";
import type { Reduction, ReductionAttrs } from "../../ops/reduction.ts";
import { type Array64, type Inputs64, map64, zeros64 } from "../array64.ts";
import { sigmoid64 } from "./activations.ts";

/** The losses, their mean, their sum divided by the batch, or that of each example. */
function reduced64(losses: Array64, reduction: Reduction = "mean"): Array64[] {
  if (reduction === "none") return [losses];
  if (reduction === "each") {
    const sums = zeros64([losses.shape[0]]);
    const size = losses.values.length / losses.shape[0];
    for (const [i, loss] of losses.values.entries()) sums.values[Math.floor(i / size)] += loss;
    return [sums];
  }
  const sum = losses.values.reduce((all, loss) => all + loss, 0);
  const share = reduction === "mean" ? losses.values.length : losses.shape[0];
  return [{ shape: [], values: Float64Array.of(sum / share) }];
}

/** −t log σ(x) − (1 − t) log σ(−x) */
export function sigmoidCrossEntropyTextbook({ logits, target }: Inputs64, { reduction }: ReductionAttrs): Array64[] {
  const loss = (x: number, t: number) => -t * Math.log(sigmoid64(x)) - (1 - t) * Math.log(sigmoid64(-x));
  return reduced64(map64(loss, logits, target), reduction);
}

/** (x − t)² */
export function squaredErrorTextbook({ prediction, target }: Inputs64, { reduction }: ReductionAttrs): Array64[] {
  return reduced64(
    map64((x, t) => (x - t) ** 2, prediction, target),
    reduction,
  );
}

/** |x − t| */
export function absoluteErrorTextbook({ prediction, target }: Inputs64, { reduction }: ReductionAttrs): Array64[] {
  return reduced64(
    map64((x, t) => Math.abs(x - t), prediction, target),
    reduction,
  );
}

/** d² / 2 up to δ, δ (|d| − δ / 2) beyond */
export function huberLossTextbook({ prediction, target }: Inputs64, attrs: HuberLossAttrs): Array64[] {
  const { delta = 1, reduction } = attrs;
  const loss = (x: number, t: number) => {
    const size = Math.abs(x - t);
    return size <= delta ? size ** 2 / 2 : delta * (size - delta / 2);
  };
  return reduced64(map64(loss, prediction, target), reduction);
}

/** log(σ₂ / σ₁) + (σ₁² + (μ₁ − μ₂)²) / 2 σ₂² − ½, summed over the last axis */
export function gaussianKlTextbook(inputs: Inputs64, { reduction = "each" }: GaussianKlAttrs): Array64[] {
  const { mean, logVariance, priorMean, priorLogVariance } = inputs;
  const d = mean.shape[mean.shape.length - 1];
  const divergence = zeros64(mean.shape.slice(0, -1));
  for (const [i, mu1] of mean.values.entries()) {
    const [mu2, log2] = [priorMean?.values[i] ?? 0, priorLogVariance?.values[i] ?? 0];
    const [sigma1, sigma2] = [logVariance.values[i], log2].map((log) => Math.exp(log / 2));
    const term = Math.log(sigma2 / sigma1) + (sigma1 ** 2 + (mu1 - mu2) ** 2) / (2 * sigma2 ** 2) - 0.5;
    divergence.values[Math.floor(i / d)] += term;
  }
  if (reduction === "each") return [divergence];
  const total = divergence.values.reduce((sum, term) => sum + term, 0);
  return [map64((zero) => zero + total / (divergence.shape[0] ?? 1), zeros64([]))];
}
