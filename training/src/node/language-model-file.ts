import type * as tfl from "@tensorflow/tfjs-layers";
import type { WeightDtype } from "@tfjs-zoo/models/weights";
import {
  type LanguageModelInfo,
  languageModelBytes,
  languageModelInfo,
  languageNetworkOf,
  type ParsedLanguageModel,
  parseLanguageModel,
} from "../tasks/language-model-weights.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import { tokenizerPath, tokenizerText } from "./tokenizer-file.ts";
import { readWeights } from "./weights-file.ts";

/** Writes a language model's weights and what they are for, as safetensors. */
export async function saveLanguageModel(
  path: string,
  model: tfl.LayersModel,
  info: LanguageModelInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const bytes = await languageModelBytes(model, info, dtype);
  await writeFileAtomic(path, bytes);
  return bytes;
}

/** A language model as it lies on disk. */
export interface LanguageModelFile extends ParsedLanguageModel {
  path: string;
}

/**
 * Reads a file of weights that the zoo wrote, and the tokenizer beside it.
 *
 * @throws InputError when one can't be read, is damaged, does not say what it is, or does not fit the other
 */
export async function readLanguageModel(path: string): Promise<LanguageModelFile> {
  const tokenizer = tokenizerPath(path);
  const { parsed } = await readWeights(path);
  languageModelInfo(parsed.metadata, path); // what is something else needs no tokenizer
  return { path, ...parseLanguageModel(parsed, await tokenizerText(tokenizer), { weights: path, tokenizer }) };
}

/**
 * Builds the network of a language model's file.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export const languageModelOf = (file: LanguageModelFile): tfl.LayersModel => languageNetworkOf(file, file.path);
