import { batchCount } from "./batches.ts";
import { InputError } from "./errors.ts";
import { permutation } from "./split.ts";
import type { Epochs, RandomSource, TokenBatch } from "./types.ts";

export interface WindowOptions {
  /** The text as ids, all of it. */
  tokens: Int32Array;
  /** Tokens that the model sees; a window has one more, so that each of them has a successor. */
  context: number;
  batchSize: number;
}

/**
 * Training batches of a language model: in each epoch the text is cut into windows of context + 1 tokens, of which two
 * neighbours share one, and these come in random order. Where the first one begins is drawn too, so that the cuts fall
 * elsewhere in every epoch. All follows from random("offset", epoch) and random("shuffle", epoch).
 *
 * Every batch has `batchSize` windows; what is left of an epoch after the last whole batch is left out of it.
 *
 * @throws InputError where the text is shorter than one window, or has too few windows for one batch
 */
export function windows({
  tokens,
  context,
  batchSize,
  random,
}: WindowOptions & { random: RandomSource }): Epochs<TokenBatch> {
  const whole = wholeWindows(tokens, context);
  // One fewer than fit leaves room for every offset.
  const count = Math.max(1, whole - 1);
  const offsets = tokens.length - count * context;
  const batchesPerEpoch = batchCount(count, batchSize, true, "windows");
  return {
    batchesPerEpoch,
    async *epoch(epoch, firstBatch = 0) {
      const offset = random("offset", epoch).integer(offsets);
      const order = permutation(count, random("shuffle", epoch));
      for (let batch = firstBatch; batch < batchesPerEpoch; batch++) {
        const starts = order.subarray(batch * batchSize, (batch + 1) * batchSize).map((i) => offset + i * context);
        yield cut(tokens, starts, context + 1);
      }
    },
  };
}

/**
 * Windows for a test, in the order of the text: every token but the first is predicted once. The last batch may have
 * fewer windows, and where the text does not end with a window there is one more batch, with one shorter window.
 *
 * @throws InputError where the text is shorter than one window
 */
export async function* evaluationWindows({
  tokens,
  context,
  batchSize,
}: WindowOptions): AsyncGenerator<TokenBatch, void, undefined> {
  const count = wholeWindows(tokens, context);
  for (let batch = 0; batch < batchCount(count, batchSize); batch++) {
    const size = Math.min(batchSize, count - batch * batchSize);
    const starts = Int32Array.from({ length: size }, (_, i) => (batch * batchSize + i) * context);
    yield cut(tokens, starts, context + 1);
  }
  const rest = tokens.length - count * context;
  if (rest > 1) yield cut(tokens, Int32Array.of(count * context), rest);
}

/** How many windows lie one after the other in the text, from its first token on. */
function wholeWindows(tokens: Int32Array, context: number): number {
  if (!Number.isInteger(context) || context < 1) {
    throw new InputError(`context ${context}: give a whole number of tokens, at least 1`);
  }
  if (tokens.length < context + 1) {
    throw new InputError(
      `the text has ${tokens.length} tokens and a context of ${context} needs ${context + 1}: give more text, or a shorter context`,
    );
  }
  return Math.floor((tokens.length - 1) / context);
}

function cut(tokens: Int32Array, starts: Int32Array, length: number): TokenBatch {
  const rows = new Int32Array(starts.length * length);
  for (let i = 0; i < starts.length; i++) rows.set(tokens.subarray(starts[i], starts[i] + length), i * length);
  return { tokens: rows, size: starts.length, length };
}
