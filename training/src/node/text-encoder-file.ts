import type * as tfl from "@tensorflow/tfjs-layers";
import type { BertIds } from "@tfjs-zoo/datasets";
import { InputError } from "@tfjs-zoo/models";
import { checkVocabularySize, type Tokenizer } from "@tfjs-zoo/models/text";
import { loadWeights, saveWeights, stateDict, type WeightDtype } from "@tfjs-zoo/models/weights";
import { bertIds } from "../tasks/bert-texts.ts";
import {
  type ParsedTextEncoder,
  type TextEncoderInfo,
  textEncoderInfo,
  textEncoderMetadata,
} from "../tasks/text-encoder-weights.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import { loadTokenizer, tokenizerPath } from "./tokenizer-file.ts";
import { readWeights, type WeightsFile } from "./weights-file.ts";

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
export interface TextEncoderFile extends ParsedTextEncoder, WeightsFile {
  tokenizer: Tokenizer;
  ids: BertIds;
}

/**
 * Reads a file of weights that the zoo wrote, and the tokenizer beside it.
 *
 * @throws InputError when one can't be read, is damaged, does not say what it is, or does not fit the other
 */
export async function readTextEncoder(path: string): Promise<TextEncoderFile> {
  const file = await readWeights(path);
  const info = textEncoderInfo(file.parsed.metadata, path);
  const tokenizer = await loadTokenizer(tokenizerPath(path));
  checkVocabularySize(tokenizer, info.vocabulary);
  return { ...file, info, tokenizer, ids: bertIds(tokenizer) };
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
