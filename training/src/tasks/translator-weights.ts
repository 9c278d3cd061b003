import { findTranslator, InputError, type Translator } from "@tfjs-zoo/models";
import { checkVocabularySize, readTokenizer, type Tokenizer } from "@tfjs-zoo/models/text";
import type { SafeTensors } from "@tfjs-zoo/models/weights";
import type { PairIds } from "./translate.ts";
import { fill, type Metadata, saidModel, saidNumber } from "./weights-file.ts";

/** What a file of a translator's weights says of itself. */
export interface TranslatorInfo {
  model: string;
  /** the pairs that it was trained on */
  dataset: string;
  /** from which language into which: "de-en"; `SPANS` or `TEXTS` */
  direction: string;
  /** tokens of both languages together */
  vocabulary: number;
  /** tokens of the pieces of text of which it learned to fill gaps: of `SPANS` alone */
  window?: number;
}

/** The direction of a network for any task that its texts say. */
export const TEXTS = "text-text";

/** The direction of a network that learned from running text, by span corruption: from texts with gaps to their spans. */
export const SPANS = "gaps-spans";

/** The tokens that a piece of text may have: more would have more spans than there are sentinels. */
export const WINDOWS = { least: 8, most: 1024 };

/** A translator as it is kept: its weights, what they are for, and how text becomes tokens. */
export interface ParsedTranslator {
  info: TranslatorInfo;
  tokenizer: Tokenizer;
  ids: PairIds;
  parsed: SafeTensors;
}

/**
 * What a file of a translator's weights says of itself.
 *
 * @param from the file's name, for messages
 * @throws InputError when it does not say which translator it is of, its vocabulary or its direction
 */
export function translatorInfo(metadata: Metadata, from: string): TranslatorInfo {
  const { name: model } = findTranslator(saidModel(metadata, from));
  const { dataset = "unknown", direction = "" } = metadata;
  if (!/^\w+-\w+$/.test(direction)) {
    throw new InputError(
      `${from} says a direction of ${direction.slice(0, 20)}; expected two languages, as in de-en: give weights that \`train\` or \`publish\` wrote`,
    );
  }
  const vocabulary = saidNumber(metadata, "vocabulary", { least: 4, most: 2 ** 20 }, from);
  const window = direction === SPANS ? saidNumber(metadata, "window", WINDOWS, from) : undefined;
  return { model, dataset, direction, vocabulary, window };
}

/**
 * Reads a file of weights that the zoo wrote, with its tokenizer.
 *
 * @param from the files' names, for messages
 * @throws InputError when one is damaged, does not say what it is, or does not fit the other
 */
export function parseTranslator(
  parsed: SafeTensors,
  tokenizerJson: string,
  from: { weights: string; tokenizer: string },
): ParsedTranslator {
  const info = translatorInfo(parsed.metadata, from.weights);
  const tokenizer = readTokenizer(tokenizerJson, from.tokenizer);
  checkVocabularySize(tokenizer, info.vocabulary);
  return { info, tokenizer, ids: pairIds(tokenizer), parsed };
}

/**
 * Builds a translator's network.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export function translatorNetworkOf({ info, parsed }: ParsedTranslator, from: string): Translator {
  const { model, vocabulary } = info;
  const translator = findTranslator(model).build({
    sourceVocabulary: vocabulary,
    targetVocabulary: vocabulary,
    seed: null,
  });
  fill(translator.train, parsed, from, () => translator.dispose());
  return translator;
}

/**
 * What stands around texts. Where there is no token to begin with, padding begins, as T5 has it.
 *
 * @throws InputError when a tokenizer lacks a special token that translation needs
 */
export function pairIds({ special: { pad, bos = pad, eos } }: Tokenizer): PairIds {
  if (pad !== undefined && bos !== undefined && eos !== undefined) return { pad, bos, eos };
  throw new InputError("the tokenizer has no tokens for padding and end: give one that `train` wrote");
}
