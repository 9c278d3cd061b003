/** Which rows of a set lie nearest to others, by Euclidean distance. */
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
  const { dimensions: d } = set;
  const index = new Int32Array(queries.count * k).fill(-1);
  const squared = new Float64Array(queries.count * k).fill(Number.POSITIVE_INFINITY);
  for (let begin = 0; begin < queries.count; begin += BLOCK) {
    const end = Math.min(begin + BLOCK, queries.count);
    for (let j = 0; j < set.count; j++) {
      for (let i = begin; i < end; i++) {
        if (own && i === j) continue;
        const farthest = squared[i * k + k - 1];
        const distance = squaredDistance(queries.values, i * d, set.values, j * d, d, farthest);
        if (distance >= farthest) continue;
        let place = i * k + k - 1;
        for (; place > i * k && squared[place - 1] > distance; place--) {
          squared[place] = squared[place - 1];
          index[place] = index[place - 1];
        }
        squared[place] = distance;
        index[place] = j;
      }
    }
    onProgress(end, queries.count);
    await events();
  }
  return { index, squared };
}
