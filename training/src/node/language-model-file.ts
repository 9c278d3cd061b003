import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "@tfjs-zoo/models";
import { readTokenizer, type Tokenizer, writeTokenizer } from "@tfjs-zoo/models/text";
import type { SafeTensors, WeightDtype } from "@tfjs-zoo/models/weights";
import {
  type LanguageModelInfo,
  languageModelBytes,
  languageModelInfo,
  languageNetworkOf,
  type ParsedLanguageModel,
  parseLanguageModel,
  parseWeights,
} from "../tasks/language-model-weights.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";

/** Where the tokenizer of a file of weights lies: beside it. */
export const tokenizerPath = (weights: string): string => join(dirname(weights), "tokenizer.json");

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

export async function saveTokenizer(path: string, tokenizer: Tokenizer): Promise<void> {
  await writeFileAtomic(path, writeTokenizer(tokenizer));
}

/** @throws InputError when it can't be read or is no tokenizer */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  return readTokenizer(await tokenizerText(path), path);
}

/** The tokenizer of a run that goes on; one that was stopped before its first step has none yet. */
export async function savedTokenizer({ dir }: RunFolder): Promise<Tokenizer | undefined> {
  const path = join(dir, "tokenizer.json");
  return existsSync(path) ? loadTokenizer(path) : undefined;
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
  const parsed = await readParsed(path);
  languageModelInfo(parsed.metadata, path); // what is something else needs no tokenizer
  return { path, ...parseLanguageModel(parsed, await tokenizerText(tokenizer), { weights: path, tokenizer }) };
}

/**
 * Builds the network of a language model's file.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export const languageModelOf = (file: LanguageModelFile): tfl.LayersModel => languageNetworkOf(file, file.path);

/** @throws InputError when a file of weights can't be read or is damaged */
export async function readParsed(path: string): Promise<SafeTensors> {
  return parseWeights(await bytesOf(path, "give a run's folder, NAME.TAG, or a .safetensors file"), path);
}

/** Larger than any tokenizer.json in use, and less than a string can hold. */
const LARGEST_TOKENIZER = 2 ** 27;

/** @throws InputError when it can't be read */
export async function tokenizerText(path: string): Promise<string> {
  const bytes = await bytesOf(path, "the tokenizer of weights lies beside them", LARGEST_TOKENIZER);
  return new TextDecoder().decode(bytes);
}

async function bytesOf(path: string, advice: string, largest = 2 ** 31): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > largest) {
      throw new InputError(`${path} has ${size} bytes; expected at most ${largest}: ${advice}`);
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`can't read ${path} (${code}): ${advice}`);
  }
}
