import { batchCount } from "./batches.ts";
import { InputError } from "./errors.ts";
import { permutation } from "./split.ts";
import type { Epochs, PairBatch, RandomSource } from "./types.ts";

/** Sentences as ids: `target[i]` translates `source[i]`. Targets are without bos and eos, which batches put there. */
export interface EncodedPairs {
  readonly source: readonly Int32Array[];
  readonly target: readonly Int32Array[];
}

export interface PairBatchOptions {
  pairs: EncodedPairs;
  /** Ids of padding, and of what begins and ends a target. */
  ids: { pad: number; bos: number; eos: number };
  /** Pairs a batch; either this or `maxTokens`. */
  batchSize?: number;
  /** Most tokens of a batch's sources, and of its targets, padding included. */
  maxTokens?: number;
}

export interface BucketOptions extends PairBatchOptions {
  random: RandomSource;
  /** Pairs of which a side has more tokens than this, bos and eos included, are left out. */
  maxLength?: number;
}

/** A bucket is closed as soon as it fills so many batches: enough to shuffle, few enough to be of about one length. */
const BATCHES_A_BUCKET = 8;

/**
 * Training batches of pairs that are about equally long, so that little is padding. Pairs are put into buckets by the
 * longer of their two sides, once; in every epoch a bucket's pairs are shuffled and cut into batches, and then the
 * batches of all buckets. So every epoch has the same number of batches, also by tokens. All follows from
 * random("bucket", epoch, bucket) and random("shuffle", epoch).
 *
 * @returns the epochs, and how many pairs are left out of them
 * @throws InputError where the two sides have different counts, a sentence has no tokens, a pair alone is more than
 *   `maxTokens`, no pair is left, or unless one of `batchSize` and `maxTokens` is given
 */
export function bucketedPairs(options: BucketOptions): Epochs<PairBatch> & { readonly leftOut: number } {
  const { pairs, random, maxLength = Number.POSITIVE_INFINITY } = options;
  const lengths = pairLengths(pairs);
  const kept = byLength(lengths).filter((i) => lengths[i] <= maxLength);
  if (kept.length === 0) {
    throw new InputError(
      `none of ${lengths.length} pairs has at most ${maxLength} tokens a side: give more pairs, or a larger maximum`,
    );
  }
  const buckets = bucketsOf(kept, lengths, batchSizes(options, lengths));
  const batchesPerEpoch = buckets.reduce((sum, { members, size }) => sum + batchCount(members.length, size), 0);
  return {
    batchesPerEpoch,
    leftOut: lengths.length - kept.length,
    async *epoch(epoch, firstBatch = 0) {
      const batches = buckets.flatMap(({ members, size }, bucket) => {
        const order = permutation(members.length, random("bucket", epoch, bucket));
        return inBatches(
          order.map((i) => members[i]),
          () => size,
        );
      });
      const order = permutation(batchesPerEpoch, random("shuffle", epoch));
      for (let batch = firstBatch; batch < batchesPerEpoch; batch++) yield padded(options, batches[order[batch]]);
    },
  };
}

/**
 * All pairs for a test, the short ones first; `indices` says which they are.
 *
 * @throws InputError as `bucketedPairs`
 */
export async function* evaluationPairs(options: PairBatchOptions): AsyncGenerator<PairBatch, void, undefined> {
  const lengths = pairLengths(options.pairs);
  const sizeFor = batchSizes(options, lengths);
  // From the long ones on, so that the first of a batch tells how many fit.
  const batches = inBatches(byLength(lengths).reverse(), (i) => sizeFor(lengths[i])).reverse();
  for (const indices of batches) yield padded(options, indices.reverse());
}

/** Tokens of the longer side of each pair. */
function pairLengths({ source, target }: EncodedPairs): Int32Array {
  if (source.length !== target.length) {
    throw new InputError(`${source.length} source sentences and ${target.length} target sentences: expected as many`);
  }
  const empty = source.findIndex((tokens, i) => tokens.length === 0 || target[i].length === 0);
  if (empty >= 0) {
    throw new InputError(`pair ${empty} has no tokens in its ${source[empty].length === 0 ? "source" : "target"}`);
  }
  return Int32Array.from(source, (tokens, i) => Math.max(tokens.length, target[i].length + 2));
}

/** Indices in the order of their lengths, and where these are equal in their own. */
function byLength(lengths: Int32Array): Int32Array {
  return Int32Array.from(lengths, (_, i) => i).sort((a, b) => lengths[a] - lengths[b] || a - b);
}

/** How many pairs of a length make a batch. */
function batchSizes({ batchSize, maxTokens }: PairBatchOptions, lengths: Int32Array): (length: number) => number {
  if ((batchSize === undefined) === (maxTokens === undefined)) {
    throw new InputError("batches are by the count of pairs or by tokens: give either batchSize or maxTokens");
  }
  if (batchSize !== undefined) {
    batchCount(lengths.length, batchSize);
    return () => batchSize;
  }
  const most = maxTokens as number;
  if (!Number.isInteger(most) || most < 1) throw new InputError(`maxTokens ${most}: give a whole number of at least 1`);
  return (length) => {
    if (length > most) {
      throw new InputError(
        `pair ${lengths.indexOf(length)} has ${length} tokens and a batch at most ${most}: raise maxTokens, or leave the pair out`,
      );
    }
    return Math.floor(most / length);
  };
}

interface Bucket {
  /** Of pairs. */
  members: Int32Array;
  /** Pairs a batch. */
  size: number;
}

/** @param order the pairs' indices in the order of their lengths; pairs of one length stay together */
function bucketsOf(order: Int32Array, lengths: Int32Array, sizeFor: (length: number) => number): Bucket[] {
  const buckets: Bucket[] = [];
  let first = 0;
  for (let next = 1; next <= order.length; next++) {
    const length = lengths[order[next - 1]];
    const isLast = next === order.length;
    if (!isLast && lengths[order[next]] === length) continue;
    const size = sizeFor(length);
    if (!isLast && next - first < BATCHES_A_BUCKET * size) continue;
    buckets.push({ members: order.slice(first, next), size });
    first = next;
  }
  return buckets;
}

/** @param sizeFor how many pairs a batch has that begins with this one */
function inBatches(order: Int32Array, sizeFor: (index: number) => number): Int32Array[] {
  const batches: Int32Array[] = [];
  for (let at = 0; at < order.length; ) {
    const size = sizeFor(order[at]);
    batches.push(order.slice(at, at + size));
    at += size;
  }
  return batches;
}

function padded({ pairs, ids }: PairBatchOptions, indices: Int32Array): PairBatch {
  const sourceLengths = indices.map((i) => pairs.source[i].length);
  const targetLengths = indices.map((i) => pairs.target[i].length + 2);
  const [sourceWidth, targetWidth] = [sourceLengths, targetLengths].map((lengths) =>
    lengths.reduce((a, b) => Math.max(a, b)),
  );
  const source = new Int32Array(indices.length * sourceWidth).fill(ids.pad);
  const target = new Int32Array(indices.length * targetWidth).fill(ids.pad);
  for (let row = 0; row < indices.length; row++) {
    source.set(pairs.source[indices[row]], row * sourceWidth);
    target[row * targetWidth] = ids.bos;
    target.set(pairs.target[indices[row]], row * targetWidth + 1);
    target[row * targetWidth + targetLengths[row] - 1] = ids.eos;
  }
  return { source, sourceLengths, target, targetLengths, size: indices.length, indices };
}
