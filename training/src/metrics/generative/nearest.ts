/** Which rows of a set lie nearest to others, by Euclidean distance. */
import * as tf from "@tensorflow/tfjs-core";
import { events } from "../../loop/events.ts";
import { expectComparable, type FeatureRows } from "./feature-rows.ts";

/** Numbers that are compared before it is asked whether two rows are too far apart already. */
const CHUNK = 32;

/** Rows that are compared with a row of the set while that is in a cache. */
export const BLOCK = 16;

/**
 * |a − b|² of two rows, in double precision; or of their first numbers alone, where that is more than a limit: most rows
 * are no neighbours, and are told by a few.
 */
export function squaredDistance(
  a: FeatureRows["values"],
  atA: number,
  b: FeatureRows["values"],
  atB: number,
  size: number,
  limit: number,
): number {
  let sum = 0;
  for (let begin = 0; begin < size; begin += CHUNK) {
    const end = Math.min(begin + CHUNK, size);
    let even = 0;
    let odd = 0;
    let i = begin;
    for (; i + 1 < end; i += 2) {
      const first = a[atA + i] - b[atB + i];
      const second = a[atA + i + 1] - b[atB + i + 1];
      even += first * first;
      odd += second * second;
    }
    if (i < end) even += (a[atA + i] - b[atB + i]) ** 2;
    sum += even + odd;
    if (sum > limit) return sum;
  }
  return sum;
}

/** The nearest rows of a set for each of some others. */
export interface Nearest {
  /** [queries, k], nearest first */
  readonly index: Int32Array;
  /** [queries, k], squared distances */
  readonly squared: Float64Array;
}

/**
 * @param set where to look; where it is `queries` itself, a row is no neighbour of its own
 * @param k how many, at most `set.count`, or one less where a row is not its own
 * @throws InputError for fewer rows than that, and for features of two networks
 */
export async function nearest(
  queries: FeatureRows,
  set: FeatureRows,
  k: number,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Nearest> {
  const own = queries === set;
  expectComparable(set, set, own ? k + 1 : k);
  expectComparable(queries, set, 1);
  const terms = queries.count * set.count * set.dimensions;
  return terms > MANY ? nearestByProducts(queries, set, k, onProgress) : nearestByEach(queries, set, k, onProgress);
}

/** Every row with every other, the far ones given up early. */
async function nearestByEach(
  queries: FeatureRows,
  set: FeatureRows,
  k: number,
  onProgress: (done: number, total: number) => void,
): Promise<Nearest> {
  const own = queries === set;
  const { dimensions: d } = set;
  const found = noneYet(queries.count, k);
  for (let begin = 0; begin < queries.count; begin += BLOCK) {
    const end = Math.min(begin + BLOCK, queries.count);
    for (let j = 0; j < set.count; j++) {
      for (let i = begin; i < end; i++) {
        if (own && i === j) continue;
        const farthest = found.squared[i * k + k - 1];
        insert(found, k, i, j, squaredDistance(queries.values, i * d, set.values, j * d, d, farthest));
      }
    }
    onProgress(end, queries.count);
    await events();
  }
  return found;
}

/** Terms of all distances from which on products of matrices are worth their upload. */
const MANY = 1e9;

/** Rows that are compared at a time. */
const QUERIES = 1024;
const ROWS = 4096;

/** Rows beyond the k nearest that stay in question, since a product in single precision does not tell them apart. */
const SPARE = 8;

/**
 * |a − b|² = |a|² + |b|² − 2 a·b, all products of many rows at once on the backend in use; then the distances of the
 * nearest again, in double precision.
 */
export async function nearestByProducts(
  queries: FeatureRows,
  set: FeatureRows,
  k: number,
  onProgress: (done: number, total: number) => void,
): Promise<Nearest> {
  const own = queries === set;
  const { dimensions: d } = set;
  const kept = Math.min(k + SPARE, own ? set.count - 1 : set.count);
  const found = noneYet(queries.count, k);
  for (let first = 0; first < queries.count; first += QUERIES) {
    const count = Math.min(QUERIES, queries.count - first);
    const near = noneYet(count, kept);
    const asked = rowsAt(queries, first, count); // [count, d]
    for (let begin = 0; begin < set.count; begin += ROWS) {
      const rows = Math.min(ROWS, set.count - begin);
      const product = tf.tidy(() => {
        const block = rowsAt(set, begin, rows); // [rows, d]
        const lengths = tf.sum(tf.square(block), 1); // [rows]
        return tf.sub(lengths, tf.mul(tf.matMul(asked, block, false, true), 2)); // |b|² − 2 a·b [count, rows]
      });
      const values = (await product.data()) as Float32Array;
      product.dispose();
      for (let i = 0; i < count; i++) {
        const itself = own ? first + i - begin : -1;
        for (let j = 0; j < rows; j++) if (j !== itself) insert(near, kept, i, begin + j, values[i * rows + j]);
      }
    }
    asked.dispose();
    for (let i = 0; i < count; i++) {
      for (const j of near.index.subarray(i * kept, (i + 1) * kept)) {
        const all = Number.POSITIVE_INFINITY;
        insert(found, k, first + i, j, squaredDistance(queries.values, (first + i) * d, set.values, j * d, d, all));
      }
    }
    onProgress(first + count, queries.count);
    await events();
  }
  return found;
}

const noneYet = (count: number, k: number): Nearest => ({
  index: new Int32Array(count * k).fill(-1),
  squared: new Float64Array(count * k).fill(Number.POSITIVE_INFINITY),
});

/** Puts row j where it belongs among the k nearest of query i, if it is one of them. */
function insert({ index, squared }: Nearest, k: number, i: number, j: number, distance: number): void {
  let place = i * k + k - 1;
  if (distance >= squared[place]) return;
  for (; place > i * k && squared[place - 1] > distance; place--) {
    squared[place] = squared[place - 1];
    index[place] = index[place - 1];
  }
  squared[place] = distance;
  index[place] = j;
}

const rowsAt = ({ values, dimensions: d }: FeatureRows, first: number, count: number): tf.Tensor2D =>
  tf.tensor2d(Float32Array.from(values.subarray(first * d, (first + count) * d)), [count, d]);
