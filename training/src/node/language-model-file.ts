import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type * as tfl from "@tensorflow/tfjs-layers";
import { findLanguageModel, InputError, type LanguageModelEntry } from "@tfjs-zoo/models";
import { checkVocabularySize, readTokenizer, type Tokenizer, writeTokenizer } from "@tfjs-zoo/models/text";
import {
  loadWeights,
  readSafetensors,
  type SafeTensors,
  saveWeights,
  type WeightDtype,
} from "@tfjs-zoo/models/weights";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";

/** What a file of a language model's weights says of itself. */
export interface LanguageModelInfo {
  model: string;
  /** the text that it was trained on */
  dataset: string;
  /** tokens that there are, and the most that it looks back on */
  vocabulary: number;
  context: number;
}

/** Where the tokenizer of a file of weights lies: beside it. */
export const tokenizerPath = (weights: string): string => join(dirname(weights), "tokenizer.json");

/** Writes a language model's weights and what they are for, as safetensors. */
export async function saveLanguageModel(
  path: string,
  model: tfl.LayersModel,
  info: LanguageModelInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const { vocabulary, context, ...names } = info;
  const metadata = { ...names, vocabulary: String(vocabulary), context: String(context) };
  const bytes = await saveWeights(model, { dtype, metadata });
  await writeFileAtomic(path, bytes);
  return bytes;
}

export async function saveTokenizer(path: string, tokenizer: Tokenizer): Promise<void> {
  await writeFileAtomic(path, writeTokenizer(tokenizer));
}

/** @throws InputError when it can't be read or is no tokenizer */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const bytes = await bytesOf(path, "the tokenizer of weights lies beside them");
  return readTokenizer(new TextDecoder().decode(bytes), path);
}

/** The tokenizer of a run that goes on; one that was stopped before its first step has none yet. */
export async function savedTokenizer({ dir }: RunFolder): Promise<Tokenizer | undefined> {
  const path = join(dir, "tokenizer.json");
  return existsSync(path) ? loadTokenizer(path) : undefined;
}

/** A language model as it lies on disk: its weights, what they are for, and how text becomes tokens. */
export interface LanguageModelFile {
  path: string;
  info: LanguageModelInfo;
  tokenizer: Tokenizer;
  parsed: SafeTensors;
}

/**
 * Reads a file of weights that the zoo wrote, and the tokenizer beside it.
 *
 * @throws InputError when one can't be read, is damaged, does not say what it is, or does not fit the other
 */
export async function readLanguageModel(path: string): Promise<LanguageModelFile> {
  const parsed = await readParsed(path);
  const info = infoOf(parsed.metadata, path);
  const tokenizer = await loadTokenizer(tokenizerPath(path));
  checkVocabularySize(tokenizer, info.vocabulary);
  return { path, info, tokenizer, parsed };
}

/** @throws InputError when a file of weights can't be read or is damaged */
export async function readParsed(path: string): Promise<SafeTensors> {
  const bytes = await bytesOf(path, "give a run's folder, NAME.TAG, or a .safetensors file");
  try {
    return readSafetensors(bytes);
  } catch (error) {
    throw new InputError(`${path}: ${(error as Error).message}`);
  }
}

/**
 * Builds the network of a language model's file.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export function languageModelOf({ path, info, parsed }: LanguageModelFile): tfl.LayersModel {
  const model = findLanguageModel(info.model).build({ vocabulary: info.vocabulary, context: info.context, seed: null });
  try {
    loadWeights(model, parsed);
  } catch (error) {
    model.dispose();
    throw new InputError(`${path}: ${(error as Error).message}`);
  }
  return model;
}

function infoOf(metadata: Record<string, string>, path: string): LanguageModelInfo {
  if (metadata.model === undefined) {
    throw new InputError(`${path} does not say which model it is of: give weights that \`train\` or \`publish\` wrote`);
  }
  const entry: LanguageModelEntry = findLanguageModel(metadata.model);
  const number = (key: "vocabulary" | "context", most: number): number => {
    const value = Number(metadata[key]);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new InputError(
      `${path} says a ${key} of ${metadata[key]?.slice(0, 20)}; expected a whole number from 1 to ${most}`,
    );
  };
  return {
    model: entry.name,
    dataset: metadata.dataset ?? "unknown",
    vocabulary: number("vocabulary", 2 ** 20),
    context: number("context", 2 ** 16),
  };
}

async function bytesOf(path: string, advice: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`can't read ${path} (${code}): ${advice}`);
  }
}
