import type * as tfl from "@tensorflow/tfjs-layers";
import { findLanguageModel } from "@tfjs-zoo/models";
import { checkVocabularySize, readTokenizer, type Tokenizer } from "@tfjs-zoo/models/text";
import { type SafeTensors, saveWeights, type WeightDtype } from "@tfjs-zoo/models/weights";
import { fill, type Metadata, saidModel, saidNumber } from "./weights-file.ts";

/** What a file of a language model's weights says of itself. */
export interface LanguageModelInfo {
  model: string;
  /** the text that it was trained on */
  dataset: string;
  /** tokens that there are, and the most that it looks back on */
  vocabulary: number;
  context: number;
}

/** A language model as it is kept: its weights, what they are for, and how text becomes tokens. */
export interface ParsedLanguageModel {
  info: LanguageModelInfo;
  tokenizer: Tokenizer;
  parsed: SafeTensors;
}

/** A language model's weights and what they are for, as the bytes of a safetensors file. */
export function languageModelBytes(
  model: tfl.LayersModel,
  { vocabulary, context, ...names }: LanguageModelInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const metadata = { ...names, vocabulary: String(vocabulary), context: String(context) };
  return saveWeights(model, { dtype, metadata });
}

/**
 * Reads a file of weights that the zoo wrote, with its tokenizer.
 *
 * @param from the files' names, for messages
 * @throws InputError when one is damaged, does not say what it is, or does not fit the other
 */
export function parseLanguageModel(
  parsed: SafeTensors,
  tokenizerJson: string,
  from: { weights: string; tokenizer: string },
): ParsedLanguageModel {
  const info = languageModelInfo(parsed.metadata, from.weights);
  const tokenizer = readTokenizer(tokenizerJson, from.tokenizer);
  checkVocabularySize(tokenizer, info.vocabulary);
  return { info, tokenizer, parsed };
}

/**
 * Builds a language model's network.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export function languageNetworkOf({ info, parsed }: ParsedLanguageModel, from: string): tfl.LayersModel {
  const { model: name, vocabulary, context } = info;
  const model = findLanguageModel(name).build({ vocabulary, context, seed: null });
  fill(model, parsed, from);
  return model;
}

/** @throws InputError when a file does not say which language model it is of */
export function languageModelInfo(metadata: Metadata, from: string): LanguageModelInfo {
  const { name } = findLanguageModel(saidModel(metadata, from));
  return {
    model: name,
    dataset: metadata.dataset ?? "unknown",
    vocabulary: saidNumber(metadata, "vocabulary", { most: 2 ** 20 }, from),
    context: saidNumber(metadata, "context", { most: 2 ** 16 }, from),
  };
}
