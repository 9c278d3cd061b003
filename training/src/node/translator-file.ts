import type { Translator } from "@tfjs-zoo/models";
import { saveWeights, type WeightDtype } from "@tfjs-zoo/models/weights";
import {
  type ParsedTranslator,
  parseTranslator,
  type TranslatorInfo,
  translatorInfo,
  translatorNetworkOf,
} from "../tasks/translator-weights.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import { tokenizerPath, tokenizerText } from "./tokenizer-file.ts";
import { readWeights, type WeightsFile } from "./weights-file.ts";

/** Writes a translator's weights and what they are for, as safetensors. */
export async function saveTranslator(
  path: string,
  { train }: Translator,
  info: TranslatorInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const { vocabulary, window, ...names } = info;
  const numbers = { vocabulary: String(vocabulary), ...(window !== undefined && { window: String(window) }) };
  const bytes = await saveWeights(train, { dtype, metadata: { ...names, ...numbers } });
  await writeFileAtomic(path, bytes);
  return bytes;
}

/** A translator as it lies on disk. */
export interface TranslatorFile extends ParsedTranslator, WeightsFile {}

/**
 * Reads a file of weights that the zoo wrote, and the tokenizer beside it.
 *
 * @throws InputError when one can't be read, is damaged, does not say what it is, or does not fit the other
 */
export async function readTranslator(path: string): Promise<TranslatorFile> {
  const tokenizer = tokenizerPath(path);
  const { parsed, sha256 } = await readWeights(path);
  translatorInfo(parsed.metadata, path); // what is something else needs no tokenizer
  return { path, sha256, ...parseTranslator(parsed, await tokenizerText(tokenizer), { weights: path, tokenizer }) };
}

/**
 * Builds the network of a translator's file.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export const translatorFrom = (file: TranslatorFile): Translator => translatorNetworkOf(file, file.path);
