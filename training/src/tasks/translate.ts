import * as tf from "@tensorflow/tfjs-core";
import { type EncodedPairs, evaluationPairs, type SentencePairs } from "@tfjs-zoo/datasets";
import { type BeamSearchRow, beamSearch, type Translator } from "@tfjs-zoo/models";
import { encodeWithSentinels, type Tokenizer } from "@tfjs-zoo/models/text";
import { events } from "../loop/events.ts";
import { sourceOf } from "./translation.ts";
import { type Spelling, translationText } from "./translation-texts.ts";

/** How translations are searched. */
export interface TranslateOptions {
  /** hypotheses that are followed at a time */
  beams?: number;
  /** α of the length penalty of Wu et al. (2016) */
  lengthPenalty?: number;
  /** results for each sentence */
  best?: number;
  onBatch?: (sentences: number) => void;
}

/** Sentences side by side. */
const BATCH = 32;

/** The most tokens of a translation of so many. */
const longestOf = (source: number): number => source + 50;

/** Ids of the special tokens that translation needs. */
export type PairIds = { pad: number; bos: number; eos: number };

/**
 * Translates sentences.
 *
 * @param sources ids of each, with an end; at least one token each
 * @returns what was found for each, in their order
 */
export async function translateIds(
  translator: Translator,
  sources: readonly Int32Array[],
  ids: PairIds,
  { beams = 5, lengthPenalty = 0.6, best = 1, onBatch = () => {} }: TranslateOptions = {},
): Promise<BeamSearchRow[]> {
  const results: BeamSearchRow[] = new Array(sources.length);
  // Batches are of pairs; what is to be found has no tokens yet.
  const pairs: EncodedPairs = { source: sources, target: sources };
  let done = 0;
  for await (const batch of evaluationPairs({ pairs, ids, batchSize: BATCH })) {
    const { source, lengths } = sourceOf(batch);
    const decoder = translator.decoder(source, lengths);
    const rows = await beamSearch(decoder, {
      begin: ids.bos,
      end: ids.eos,
      maxLength: longestOf(source.shape[1] as number),
      maxLengths: batch.indices.map((i) => longestOf(sources[i].length)),
      ...{ beams, lengthPenalty, best },
    });
    tf.dispose([source, lengths, [...decoder.start]]);
    for (const [i, row] of rows.entries()) results[batch.indices[i]] = row;
    done += batch.size;
    onBatch(done);
    await events();
  }
  return results;
}

/** The texts of the best translations of sentences, with their ids as the network read them. */
export async function bestTexts(
  spelling: Spelling,
  sentences: readonly string[],
  sources: readonly Int32Array[],
  rows: readonly BeamSearchRow[],
): Promise<string[]> {
  const texts: string[] = [];
  for (const [i, { results }] of rows.entries()) {
    texts.push(await translationText(spelling, sentences[i], sources[i], results[0]));
  }
  return texts;
}

/** The most tokens of a sentence, its end included, that a network is given: what it keeps grows with their square. */
export const LONGEST_SENTENCE = 512;

/** The ids of a sentence as a network reads them: with its end, so that there is at least one. */
export function sourceIds(sentence: string, tokenizer: Tokenizer, { eos }: PairIds): Int32Array {
  return Int32Array.from([...encodeWithSentinels(sentence, tokenizer), eos]);
}

/** Pairs as ids. Of a sentence that is longer than can be read, what comes first; `cut` says of how many. */
export function pairsAsIds(
  { source, target }: SentencePairs,
  tokenizer: Tokenizer,
  ids: PairIds,
): EncodedPairs & { cut: number } {
  let cut = 0;
  const firstOf = (sentence: string): Int32Array => {
    const tokens = tokenizer.encode(sentence);
    if (tokens.length < LONGEST_SENTENCE) return tokens;
    cut++;
    return tokens.subarray(0, LONGEST_SENTENCE - 1);
  };
  return {
    source: source.map((sentence) => Int32Array.from([...firstOf(sentence), ids.eos])),
    target: target.map(firstOf),
    cut,
  };
}
