import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

export interface RelativePositionsAttrs {
  /** queries and keys that there are; the last query is at the place of the last key, so that queries may follow cached keys */
  queries: number;
  keys: number;
  /** Keys behind a query are never looked at: all buckets are for those before it. */
  causal?: boolean;
  /** from this distance on all keys share a bucket */
  maxDistance?: number;
}

/**
 * What is added to the scores of attention for how far a key is from its query (Raffel et al. 2020, sec. 2.1): a number a
 * head for each bucket of distances.
 *
 *   B[h, i, j] = T[b(j − i), h]        ∂L/∂T[b, h] = Σ ∂L/∂B[h, i, j] over the pairs of bucket b
 *
 * Half of the n buckets are for keys behind the query, unless it is causal. Of the m that are left the first half are a
 * distance r each, the others grow with its logarithm up to the largest distance D:
 *
 *   b = r for r < m / 2, else min(m − 1, m/2 + ⌊m/2 · log(2 r / m) / log(2 D / m)⌋)
 *
 * @param table T [n, heads]
 * @returns B [heads, queries, keys]
 * @throws InputError when there are fewer keys than queries, or too few buckets for the distances
 */
export const relativePositions: Op<{ table: tf.Tensor }, RelativePositionsAttrs> = differentiable("RelativePositions", {
  saved: ["table", "places"],
  gradients: ["table"],

  forward({ table }: { table: tf.Tensor }, attrs: RelativePositionsAttrs) {
    const { queries, keys } = attrs;
    const [buckets, heads] = table.shape;
    const places = tf.tensor1d(bucketsOfPairs(buckets, attrs), "int32"); // [queries · keys]
    const rows = tf.reshape(tf.gather(table, places), [queries, keys, heads]);
    return { output: tf.transpose(rows, [2, 0, 1]), saved: { table, places } };
  },

  backward(dy, { table, places }) {
    const [buckets, heads] = table.shape;
    const rows = tf.reshape(tf.transpose(dy, [1, 2, 0]), [-1, heads]); // [queries · keys, heads]
    return { table: tf.unsortedSegmentSum(rows, places as tf.Tensor1D, buckets) }; // [buckets, heads]
  },
});

/** The bucket of every pair [queries · keys]. */
function bucketsOfPairs(buckets: number, { queries, keys, causal, maxDistance }: RelativePositionsAttrs): Int32Array {
  if (queries > keys) {
    throw new InputError(`relative positions got ${queries} queries and ${keys} keys; expected as many keys at least`);
  }
  const first = keys - 1; // distance of the last key from a query at place 0
  const byDistance = Int32Array.from({ length: 2 * keys - 1 }, (_, i) =>
    relativeBucket(i - first, { buckets, causal, maxDistance }),
  );
  const places = new Int32Array(queries * keys);
  for (let query = 0; query < queries; query++) {
    const at = keys - queries + query;
    places.set(byDistance.subarray(first - at, first - at + keys), query * keys);
  }
  return places;
}

/**
 * The bucket of a distance, key's place less query's. The logarithms are rounded to float32 as the reference has them: on
 * the edge of two buckets that decides.
 *
 * @throws InputError when the buckets are too few, or more than the distances
 */
export function relativeBucket(
  distance: number,
  { buckets, causal = false, maxDistance = 128 }: { buckets: number; causal?: boolean; maxDistance?: number },
): number {
  const all = causal ? buckets : buckets / 2;
  const exact = Math.floor(all / 2);
  if (!(Number.isInteger(all) && exact >= 1 && maxDistance > exact)) {
    throw new InputError(
      `relative positions got ${buckets} buckets for distances up to ${maxDistance}; expected ${causal ? "at least 2" : "an even number of at least 4"}, and a distance above ${exact}`,
    );
  }
  const begin = !causal && distance > 0 ? all : 0;
  const r = causal ? Math.max(-distance, 0) : Math.abs(distance);
  if (r < exact) return begin + r;
  const { fround, log } = Math;
  const share = fround(fround(log(fround(r / exact))) / fround(log(maxDistance / exact)));
  return begin + Math.min(all - 1, exact + Math.floor(fround(share * (all - exact))));
}
