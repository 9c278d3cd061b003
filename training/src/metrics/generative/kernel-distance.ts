import { randomStream } from "@tfjs-zoo/models";
import { events } from "../../loop/events.ts";
import { dot } from "./dot.ts";
import { expectComparable, type FeatureRows } from "./feature-rows.ts";

export interface KernelDistanceOptions {
  /** how many pairs of random subsets are compared */
  subsets?: number;
  /** images of each; at most half of the smaller set, so that subsets differ */
  subsetSize?: number;
  seed?: number;
  onProgress?(done: number, total: number): void;
}

export interface KernelDistance {
  /** over the subsets; it may be below 0 for sets that are alike */
  mean: number;
  /** standard deviation over the subsets */
  spread: number;
  subsets: number;
  subsetSize: number;
}

/**
 * The kernel inception distance (Bińkowski et al. 2018, sec. 4), whatever network the features are of: the squared
 * maximum mean discrepancy of two sets under the kernel
 *
 *   k(x, y) = (x · y / d + 1)³
 *   MMD² = 1/m(m−1) Σ_{i≠j} [k(xᵢ, xⱼ) + k(yᵢ, yⱼ)] − 2/m² Σ_{i,j} k(xᵢ, yⱼ)
 *
 * which is unbiased: few images make it noisy, not large. Published figures are often of 100 subsets of 1,000.
 *
 * @throws InputError for fewer than 4 rows of either, and for features of two networks
 */
export async function kernelDistance(
  a: FeatureRows,
  b: FeatureRows,
  options: KernelDistanceOptions = {},
): Promise<KernelDistance> {
  const { subsets = 100, seed = 0, onProgress = () => {} } = options;
  expectComparable(a, b, 4);
  const subsetSize = Math.min(options.subsetSize ?? 1000, Math.floor(Math.min(a.count, b.count) / 2));
  const found: number[] = [];
  for (let subset = 0; subset < subsets; subset++) {
    const [x, y] = [a, b].map((rows, i) => drawn(rows, subsetSize, seed, subset, i));
    found.push(squaredDiscrepancy(x, y, subsetSize, a.dimensions));
    onProgress(subset + 1, subsets);
    await events();
  }
  const mean = found.reduce((sum, value) => sum + value, 0) / subsets;
  const variance = found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / subsets;
  return { mean, spread: Math.sqrt(variance), subsets, subsetSize };
}

/** Some rows, without repetition: [size, dimensions] */
function drawn(
  { values, count, dimensions }: FeatureRows,
  size: number,
  seed: number,
  subset: number,
  which: number,
): Float64Array {
  const random = randomStream(seed, "kernel distance", subset, which);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const rows = new Float64Array(size * dimensions);
  for (let i = 0; i < size; i++) {
    const j = i + random.integer(count - i);
    [order[i], order[j]] = [order[j], order[i]];
    rows.set(values.subarray(order[i] * dimensions, (order[i] + 1) * dimensions), i * dimensions);
  }
  return rows;
}

/** MMD² of m rows each; see `kernelDistance`. @param x [m, d]  @param y [m, d] */
export function squaredDiscrepancy(x: Float64Array, y: Float64Array, m: number, d: number): number {
  const kernel = (a: Float64Array, i: number, b: Float64Array, j: number) => (dot(a, i * d, b, j * d, d) / d + 1) ** 3;
  let [within, across] = [0, 0];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < i; j++) within += kernel(x, i, x, j) + kernel(y, i, y, j);
    for (let j = 0; j < m; j++) across += kernel(x, i, y, j);
  }
  return (2 * within) / (m * (m - 1)) - (2 * across) / m ** 2;
}
