import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { BertIds } from "@tfjs-zoo/datasets";
import { InputError } from "@tfjs-zoo/models";
import { checkVocabularySize, type Tokenizer } from "@tfjs-zoo/models/text";
import { loadWeights, saveWeights, stateDict, type WeightDtype } from "@tfjs-zoo/models/weights";
import { bertIds } from "../tasks/bert-texts.ts";
import { parseWeights } from "../tasks/language-model-weights.ts";
import {
  type ParsedTextEncoder,
  type TextEncoderInfo,
  textEncoderInfo,
  textEncoderMetadata,
} from "../tasks/text-encoder-weights.ts";
import { loadTokenizer, tokenizerPath } from "./language-model-file.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";

/** Writes a text encoder's weights and what they are for, as safetensors. */
export async function saveTextEncoder(
  path: string,
  model: tfl.LayersModel,
  info: TextEncoderInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const bytes = await saveWeights(model, { dtype, metadata: textEncoderMetadata(info) });
  await writeFileAtomic(path, bytes);
  return bytes;
}

/** A text encoder as it lies on disk: its weights, what they are for, and how text becomes tokens. */
export interface TextEncoderFile extends ParsedTextEncoder {
  path: string;
  /** of the file of weights, in hexadecimal */
  sha256: string;
  tokenizer: Tokenizer;
  ids: BertIds;
}

/**
 * Reads a file of weights that the zoo wrote, and the tokenizer beside it.
 *
 * @throws InputError when one can't be read, is damaged, does not say what it is, or does not fit the other
 */
export async function readTextEncoder(path: string): Promise<TextEncoderFile> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`can't read ${path} (${error.code}): give a run's folder, NAME.TAG, or a .safetensors file`);
  });
  const parsed = parseWeights(bytes, path);
  const info = textEncoderInfo(parsed.metadata, path);
  const tokenizer = await loadTokenizer(tokenizerPath(path));
  checkVocabularySize(tokenizer, info.vocabulary);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path, sha256, info, parsed, tokenizer, ids: bertIds(tokenizer) };
}

/** The weights that a run began with, as its config.json has them. */
export interface InitialEncoder {
  /** as it was given: NAME.TAG, a run's folder or a file */
  name: string;
  /** of the file, in hexadecimal */
  sha256: string;
}

/** What a network took from a file: how many tensors, and what of its own is fresh. */
export interface TakenEncoder {
  name: string;
  tensors: number;
  fresh: readonly string[];
}

/**
 * Puts a file's weights into a network.
 *
 * @param options.head the layer that may be fresh: all else must be the file's
 * @throws InputError when the file lacks a weight, or one does not fit
 */
export function takeEncoder(
  model: tfl.LayersModel,
  { path, parsed }: TextEncoderFile,
  { head, fresh, name = path }: { head: string; fresh: boolean; name?: string },
): TakenEncoder {
  const isHeads = (tensor: string) => tensor.startsWith(`${head}.`);
  const tensors = new Map([...parsed.tensors].filter(([tensor]) => !(fresh && isHeads(tensor))));
  try {
    const { missing } = loadWeights(model, { ...parsed, tensors }, { strict: false });
    const wrong = missing.find((tensor) => !(fresh && isHeads(tensor)));
    if (wrong) throw new InputError(`it has no ${wrong}, which ${model.name} needs`);
    return { name, tensors: stateDict(model).length - missing.length, fresh: missing };
  } catch (error) {
    throw new InputError(`${name}: ${(error as Error).message}`);
  }
}
