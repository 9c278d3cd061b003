import { InputError } from "./errors.ts";
import { permutation } from "./split.ts";
import type { Epochs, PairBatch, Random, RandomSource, TokenBatch } from "./types.ts";
import { evaluationWindows, windows } from "./windows.ts";

export interface SpanOptions {
  /** The text as ids, all of it. */
  tokens: Int32Array;
  /** Tokens of a piece of text. */
  window: number;
  batchSize: number;
  /** Ids of what begins a target, and of what ends a source and a target. */
  ids: { bos: number; eos: number };
  /** Ids of the tokens that stand for spans, in their order. */
  sentinels: ArrayLike<number>;
  random: RandomSource;
  /** Share of tokens that are hidden, 0.15 unless given. */
  rate?: number;
  /** Tokens of a span in the mean, 3 unless given. */
  meanSpan?: number;
}

type Corruption = Omit<SpanOptions, "tokens" | "window" | "batchSize" | "random">;

/**
 * Training batches of span corruption (Raffel et al. 2020, sec. 3.1.4 and fig. 2): of each piece of a text some spans are
 * hidden, 15 % of its tokens in spans of 3 in the mean. The source has a sentinel in the place of each, another one for
 * every span of a piece; the target says after each sentinel what it stands for, and ends with one more.
 *
 *   Thank you <0> me to your party <1> week   ->   <0> for inviting <1> last <2>
 *
 * Pieces are those of `windows`. All follows from random("offset", epoch), random("shuffle", epoch) and, where the spans
 * are, random("spans", epoch, batch), so that every epoch hides others.
 *
 * @throws InputError as `windows`, or where there are fewer sentinels than spans
 */
export function corruptedSpans({ tokens, window, batchSize, random, ...corruption }: SpanOptions): Epochs<PairBatch> {
  checkSentinels(window, corruption);
  const pieces = windows({ tokens, context: window - 1, batchSize, random });
  return {
    batchesPerEpoch: pieces.batchesPerEpoch,
    async *epoch(epoch, firstBatch = 0) {
      let batch = firstBatch;
      for await (const piece of pieces.epoch(epoch, firstBatch)) {
        yield corrupted(piece, corruption, random("spans", epoch, batch++));
      }
    },
  };
}

/**
 * Pieces for a test, in the order of the text, with spans from random("spans", batch): the same every time.
 *
 * @throws InputError as `corruptedSpans`
 */
export async function* evaluationSpans({
  tokens,
  window,
  batchSize,
  random,
  ...corruption
}: SpanOptions): AsyncGenerator<PairBatch, void, undefined> {
  checkSentinels(window, corruption);
  let batch = 0;
  for await (const piece of evaluationWindows({ tokens, context: window - 1, batchSize })) {
    yield corrupted(piece, corruption, random("spans", batch++));
  }
}

/** How many tokens of a piece are hidden, and in how many spans. */
function countsOf(length: number, { rate = 0.15, meanSpan = 3 }: Corruption): { hidden: number; spans: number } {
  const hidden = Math.min(Math.max(Math.round(rate * length), 1), length - 1);
  return { hidden, spans: Math.min(Math.max(Math.round(hidden / meanSpan), 1), hidden, length - hidden + 1) };
}

function checkSentinels(window: number, corruption: Corruption): void {
  const { spans } = countsOf(window, corruption);
  if (spans < corruption.sentinels.length) return;
  throw new InputError(
    `pieces of ${window} tokens have ${spans} spans each and need ${spans + 1} sentinels, and the tokenizer has ${corruption.sentinels.length}: give shorter ones`,
  );
}

function corrupted({ tokens, size, length }: TokenBatch, corruption: Corruption, random: Random): PairBatch {
  const { hidden, spans } = countsOf(length, corruption);
  const { ids, sentinels } = corruption;
  const [sourceWidth, targetWidth] = [length - hidden + spans + 1, hidden + spans + 3];
  const source = new Int32Array(size * sourceWidth);
  const target = new Int32Array(size * targetWidth);
  for (let row = 0; row < size; row++) {
    const text = tokens.subarray(row * length, (row + 1) * length);
    const lengths = parts(hidden, spans, random);
    // What stays: a part before each span and one behind the last, of which the outer ones may be empty.
    const between = parts(length - hidden + 2, spans + 1, random);
    between[0]--;
    between[spans]--;
    let [at, read, written] = [0, row * sourceWidth, row * targetWidth];
    const copy = (count: number, into: Int32Array, place: number) => {
      into.set(text.subarray(at, at + count), place);
      at += count;
      return place + count;
    };
    target[written++] = ids.bos;
    for (let span = 0; span < spans; span++) {
      read = copy(between[span], source, read);
      source[read++] = sentinels[span];
      target[written++] = sentinels[span];
      written = copy(lengths[span], target, written);
    }
    read = copy(between[spans], source, read);
    source[read] = ids.eos;
    target[written++] = sentinels[spans];
    target[written] = ids.eos;
  }
  return {
    ...{ source, target, size },
    sourceLengths: new Int32Array(size).fill(sourceWidth),
    targetLengths: new Int32Array(size).fill(targetWidth),
    indices: Int32Array.from({ length: size }, (_, row) => row),
  };
}

/** A whole number as the sum of so many, each at least 1; all such sums are as likely. */
function parts(sum: number, count: number, random: Random): Int32Array {
  const cuts = permutation(sum - 1, random)
    .subarray(0, count - 1)
    .map((cut) => cut + 1)
    .sort();
  return Int32Array.from({ length: count }, (_, i) => (cuts[i] ?? sum) - (cuts[i - 1] ?? 0));
}
