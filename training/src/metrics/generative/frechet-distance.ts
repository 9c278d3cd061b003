/** Mean and covariance of features, and the Fréchet distance between two sets of them. */
import { InputError } from "@tfjs-zoo/models";
import { dot } from "./dot.ts";
import { expectComparable, type FeatureRows } from "./feature-rows.ts";
import { symmetricEigenvalues } from "./symmetric-eigenvalues.ts";

/** A normal distribution of features. */
export interface FeatureStatistics {
  readonly dimensions: number;
  /** μ [dimensions] */
  readonly mean: Float64Array;
  /** Σ [dimensions, dimensions] */
  readonly covariance: Float64Array;
}

/** Rows whose products are summed in one go: they stay in a cache. */
const BLOCK = 64;

/**
 * μ and Σ, unbiased (divided by count − 1), as the published code has it.
 *
 * @throws InputError for fewer than 2 rows
 */
export function featureStatistics({ values, count, dimensions: d }: FeatureRows): FeatureStatistics {
  if (count < 2) throw new InputError(`${count} image(s) have no covariance: give at least 2`);
  const mean = new Float64Array(d);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < d; i++) mean[i] += values[n * d + i];
  }
  for (let i = 0; i < d; i++) mean[i] /= count;
  const covariance = new Float64Array(d * d);
  const centred = new Float64Array(d * BLOCK); // a block's rows as columns
  for (let begin = 0; begin < count; begin += BLOCK) {
    const rows = Math.min(BLOCK, count - begin);
    for (let n = 0; n < rows; n++) {
      for (let i = 0; i < d; i++) centred[i * BLOCK + n] = values[(begin + n) * d + i] - mean[i];
    }
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) covariance[i * d + j] += dot(centred, i * BLOCK, centred, j * BLOCK, rows);
    }
  }
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      covariance[i * d + j] /= count - 1;
      covariance[j * d + i] = covariance[i * d + j];
    }
  }
  return { dimensions: d, mean, covariance };
}

/**
 * The Fréchet inception distance (Heusel et al. 2017, eq. 6), whatever network the features are of: how far apart two sets
 * are, each taken for normally distributed.
 *
 *   d² = |μ₁ − μ₂|² + Tr(Σ₁ + Σ₂ − 2 √(Σ₁ Σ₂))
 *
 * It is biased: fewer images give a larger distance, so only distances of equally many can be compared.
 *
 * @throws InputError for fewer than 2 rows of either, and for features of two networks
 */
export function frechetDistance(a: FeatureRows, b: FeatureRows): number {
  expectComparable(a, b, 2);
  return frechetBetween(featureStatistics(a), featureStatistics(b));
}

/** The distance of two distributions; see `frechetDistance`. */
export function frechetBetween(a: FeatureStatistics, b: FeatureStatistics): number {
  let sum = 0;
  for (let i = 0; i < a.dimensions; i++) {
    sum += (a.mean[i] - b.mean[i]) ** 2;
    sum += a.covariance[i * a.dimensions + i] + b.covariance[i * a.dimensions + i];
  }
  return Math.max(0, sum - 2 * traceOfRoot(a.covariance, b.covariance, a.dimensions));
}

/**
 * Tr √(Σ₁ Σ₂). With Σ₁ = F Fᵀ the product has the eigenvalues of Fᵀ Σ₂ F, which is symmetric; √Σ₁ is one such F, and
 * Cholesky's another that takes less work. Neither needs a covariance that can be inverted: of fewer images than features it
 * can't.
 */
function traceOfRoot(first: Float64Array, second: Float64Array, d: number): number {
  const { factor, rank } = pivotedCholesky(first, d); // Fᵀ [rank, d]
  const product = new Float64Array(rank * d); // (Σ₂ F)ᵀ [rank, d]
  for (let begin = 0; begin < rank; begin += BLOCK) {
    for (let i = 0; i < d; i++) {
      for (let k = begin; k < Math.min(begin + BLOCK, rank); k++) {
        product[k * d + i] = dot(factor, k * d, second, i * d, d);
      }
    }
  }
  const symmetric = new Float64Array(rank * rank);
  for (let begin = 0; begin < rank; begin += BLOCK) {
    for (let i = begin; i < rank; i++) {
      for (let k = begin; k < Math.min(begin + BLOCK, i + 1); k++) {
        symmetric[i * rank + k] = dot(factor, i * d, product, k * d, d);
        symmetric[k * rank + i] = symmetric[i * rank + k];
      }
    }
  }
  return symmetricEigenvalues(symmetric, rank).reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
}

/**
 * Σ = F Fᵀ by columns, each begun at what is largest on the diagonal of the rest (Golub & Van Loan 2013, sec. 4.2.8), until
 * that is nothing but rounding.
 *
 * @param covariance [d, d], positive semidefinite
 * @returns Fᵀ [rank, d]
 */
function pivotedCholesky(covariance: Float64Array, d: number): { factor: Float64Array; rank: number } {
  const rest = Float64Array.from({ length: d }, (_, i) => covariance[i * d + i]);
  const rounding = d * Number.EPSILON * rest.reduce((a, b) => Math.max(a, b), 0);
  const factor = new Float64Array(d * d);
  for (let rank = 0; rank < d; rank++) {
    const pivot = rest.reduce((best, value, i) => (value > rest[best] ? i : best), 0);
    if (rest[pivot] <= rounding) return { factor, rank };
    const row = rank * d;
    for (let i = 0; i < d; i++) factor[row + i] = covariance[pivot * d + i];
    for (let before = 0; before < row; before += d) {
      const scale = factor[before + pivot];
      if (scale === 0) continue;
      for (let i = 0; i < d; i++) factor[row + i] -= scale * factor[before + i];
    }
    const root = Math.sqrt(rest[pivot]);
    for (let i = 0; i < d; i++) {
      factor[row + i] /= root;
      rest[i] -= factor[row + i] ** 2;
    }
    rest[pivot] = 0;
  }
  return { factor, rank: d };
}
