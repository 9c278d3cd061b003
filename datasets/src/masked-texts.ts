import { batchCount } from "./batches.ts";
import { InputError } from "./errors.ts";
import { type BertIds, type HiddenWords, hideWords } from "./hide-words.ts";
import { permutation } from "./split.ts";
import type { Epochs, MaskedBatch, Random, RandomSource } from "./types.ts";

/** Documents as lists of sentences, each as ids without special tokens. */
export type EncodedDocuments = readonly (readonly Int32Array[])[];

export interface MaskedTextsOptions {
  /** Documents of one group are alike: a sentence of one could stand in the same place of another. */
  groups: readonly EncodedDocuments[];
  ids: BertIds;
  batchSize: number;
  /** the most tokens of a text, special ones included */
  context: number;
  random: RandomSource;
}

/** Sentences of a document that follow each other and fit into one text. */
interface Span {
  group: number;
  document: number;
  /** the place of its first sentence */
  first: number;
  sentences: readonly Int32Array[];
}

/** One text, before words of it are hidden. */
interface Text {
  ids: Int32Array;
  types: Int32Array;
  follows: boolean;
}

/**
 * What BERT learns from (Devlin et al. 2019, sec. 3.1 and A.2): `[CLS] A [SEP] B [SEP]` with hidden words. A document is
 * cut into spans of sentences that fit into the context, once. In every epoch a span is cut in two where the stream says:
 * A is its beginning, and B the rest of it, or, half the time and wherever a span is one sentence, as many sentences from
 * the same place of another document of the group: what does not follow is not to be told by its place or length. All
 * follows from random("shuffle", epoch), random("pair", epoch, span) and random("hide", epoch, span).
 *
 * @throws InputError where a group has one document alone, nothing to learn from, or the context no room for two sentences
 */
export function maskedTexts({ groups, ids, batchSize, context, random }: MaskedTextsOptions): Epochs<MaskedBatch> {
  const room = context - 3; // beside [CLS] and the [SEP] of each part
  if (room < 2) throw new InputError(`a context of ${context} tokens has no room for two sentences: give at least 5`);
  const filled = groups
    .map((documents) => documents.map((sentences) => sentences.filter(({ length }) => length > 0)))
    .map((documents) => documents.filter(({ length }) => length > 0));
  const few = filled.find(({ length }) => length < 2) ?? (filled.length === 0 ? [] : undefined);
  if (few) {
    throw new InputError(
      `the text has ${few.length === 1 ? "one document" : "no words"}, and what does not follow a sentence comes from another document: give more text`,
    );
  }
  const spans = filled.flatMap((documents, group) =>
    documents.flatMap((sentences, document) => spansOf(sentences, room).map((span) => ({ group, document, ...span }))),
  );
  const batchesPerEpoch = batchCount(spans.length, batchSize, false, "texts");

  const textOf = ({ group, document, first, sentences }: Span, draw: Random): Text => {
    const cut = sentences.length === 1 ? 1 : 1 + draw.integer(sentences.length - 1);
    const follows = sentences.length > 1 && draw.uniform() < 0.5;
    const count = Math.max(1, sentences.length - cut);
    const b = follows ? sentences.slice(cut) : elsewhere(filled[group], document, first + cut, count, draw);
    return textOfTwo(...shortened(joined(sentences.slice(0, cut)), joined(b), room), ids, follows);
  };

  return {
    batchesPerEpoch,
    async *epoch(epoch, firstBatch = 0) {
      const order = permutation(spans.length, random("shuffle", epoch));
      for (let batch = firstBatch; batch < batchesPerEpoch; batch++) {
        const texts = [...order.slice(batch * batchSize, (batch + 1) * batchSize)].map((index) => {
          const text = textOf(spans[index], random("pair", epoch, index));
          return { ...text, ...hideWords(text.ids, ids, random("hide", epoch, index)) };
        });
        yield batchOf(texts, ids.pad);
      }
    },
  };
}

function batchOf(texts: readonly (Text & HiddenWords)[], pad: number): MaskedBatch {
  const size = texts.length;
  const tokens = Math.max(...texts.map((text) => text.ids.length));
  const hidden = Math.max(1, ...texts.map(({ places }) => places.length));
  const rows = (length: number, fill: number, of: (text: Text & HiddenWords) => Int32Array) => {
    const all = new Int32Array(size * length).fill(fill);
    for (const [row, text] of texts.entries()) all.set(of(text), row * length);
    return all;
  };
  return {
    size,
    ids: rows(tokens, pad, (text) => text.ids),
    types: rows(tokens, 0, ({ types }) => types),
    lengths: Int32Array.from(texts, (text) => text.ids.length),
    places: rows(hidden, 0, ({ places }) => places),
    words: rows(hidden, -1, ({ words }) => words),
    next: Int32Array.from(texts, ({ follows }) => (follows ? 0 : 1)),
  };
}

/** Sentences one after the other, as many to a span as there is room for; one that is too long is a span by itself. */
function spansOf(sentences: readonly Int32Array[], room: number): Pick<Span, "first" | "sentences">[] {
  const spans: { first: number; sentences: Int32Array[] }[] = [];
  let left = 0;
  for (const [first, sentence] of sentences.entries()) {
    if (sentence.length > left) {
      spans.push({ first, sentences: [] });
      left = room;
    }
    spans[spans.length - 1].sentences.push(sentence);
    left -= sentence.length;
  }
  return spans;
}

/** So many sentences from a place of another document; from its end where it has no such place. */
function elsewhere(
  documents: EncodedDocuments,
  not: number,
  first: number,
  count: number,
  random: Random,
): readonly Int32Array[] {
  const drawn = random.integer(documents.length - 1);
  const sentences = documents[drawn < not ? drawn : drawn + 1];
  const start = Math.max(0, Math.min(first, sentences.length - count));
  return sentences.slice(start, start + count);
}

/** Takes tokens off the end of the longer part until both fit. */
function shortened(a: Int32Array, b: Int32Array, room: number): [Int32Array, Int32Array] {
  const ofB = Math.min(b.length, Math.max(room >> 1, room - a.length));
  return [a.slice(0, room - ofB), b.slice(0, ofB)];
}

function textOfTwo(a: Int32Array, b: Int32Array, { cls, sep }: BertIds, follows: boolean): Text {
  const ids = joined([[cls], a, [sep], b, [sep]]);
  return { ids, types: new Int32Array(ids.length).fill(1, a.length + 2), follows };
}

const joined = (parts: readonly ArrayLike<number>[]): Int32Array =>
  Int32Array.from(parts.flatMap((part) => Array.from(part)));
