import { batchCount } from "./batches.ts";
import { InputError } from "./errors.ts";
import { permutation } from "./split.ts";
import type { Epochs, LabelledTextBatch, LabelledTexts, RandomSource, SentencePairs } from "./types.ts";

const MOST_CLASSES = 1000;

/**
 * The classes of labelled lines, in the order of their names.
 *
 * @param parts of which `target[i]` is the label of `source[i]`
 * @param name of the set, for messages
 * @throws InputError where there is one class alone, or so many that the labels are none
 */
export function classesOf(parts: readonly SentencePairs[], name: string): string[] {
  const classes = [...new Set(parts.flatMap(({ target }) => target))].sort();
  if (classes.length >= 2 && classes.length <= MOST_CLASSES) return classes;
  throw new InputError(
    `${name} has ${classes.length} different label(s): expected 2 to ${MOST_CLASSES}, behind the tab of each line`,
  );
}

export const labelled = ({ source, target }: SentencePairs, classes: readonly string[]): LabelledTexts => {
  const places = new Map(classes.map((label, place) => [label, place]));
  return { texts: source, labels: Int32Array.from(target, (label) => places.get(label) as number) };
};

/** Labelled texts as ids, special tokens included. */
export interface EncodedTexts {
  readonly texts: readonly Int32Array[];
  /** [texts] */
  readonly labels: Int32Array;
}

export interface LabelledBatchOptions {
  set: EncodedTexts;
  /** id of padding */
  pad: number;
  batchSize: number;
}

/**
 * Training batches of labelled texts, in an order that follows from random("shuffle", epoch) alone.
 *
 * @throws InputError unless batchSize is a whole number of at least 1
 */
export function labelledBatches(options: LabelledBatchOptions & { random: RandomSource }): Epochs<LabelledTextBatch> {
  const { set, batchSize, random } = options;
  const batchesPerEpoch = batchCount(set.texts.length, batchSize, false, "texts");
  return {
    batchesPerEpoch,
    async *epoch(epoch, firstBatch = 0) {
      const order = permutation(set.texts.length, random("shuffle", epoch));
      for (let batch = firstBatch; batch < batchesPerEpoch; batch++) {
        yield padded(options, order.subarray(batch * batchSize, (batch + 1) * batchSize));
      }
    },
  };
}

/** All texts once, the short ones first, so that little is padding. */
export async function* evaluationTexts(
  options: LabelledBatchOptions,
): AsyncGenerator<LabelledTextBatch, void, undefined> {
  const { set, batchSize } = options;
  const { texts } = set;
  const order = Int32Array.from(texts.keys()).sort((a, b) => texts[a].length - texts[b].length || a - b);
  for (let batch = 0; batch < batchCount(texts.length, batchSize); batch++) {
    yield padded(options, order.subarray(batch * batchSize, (batch + 1) * batchSize));
  }
}

function padded({ set: { texts, labels }, pad }: LabelledBatchOptions, indices: Int32Array): LabelledTextBatch {
  const lengths = indices.map((i) => texts[i].length);
  const tokens = lengths.reduce((a, b) => Math.max(a, b));
  const ids = new Int32Array(indices.length * tokens).fill(pad);
  for (const [row, i] of indices.entries()) ids.set(texts[i], row * tokens);
  return { size: indices.length, ids, lengths, labels: indices.map((i) => labels[i]) };
}
