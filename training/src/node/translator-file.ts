import { findTranslator, InputError, type Translator } from "@tfjs-zoo/models";
import { checkVocabularySize, type Tokenizer } from "@tfjs-zoo/models/text";
import { loadWeights, type SafeTensors, saveWeights, type WeightDtype } from "@tfjs-zoo/models/weights";
import type { PairIds } from "../tasks/translate.ts";
import { loadTokenizer, readParsed, tokenizerPath } from "./language-model-file.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";

/** What a file of a translator's weights says of itself. */
export interface TranslatorInfo {
  model: string;
  /** the pairs that it was trained on */
  dataset: string;
  /** from which language into which: "de-en" */
  direction: string;
  /** tokens of both languages together */
  vocabulary: number;
}

/** Writes a translator's weights and what they are for, as safetensors. */
export async function saveTranslator(
  path: string,
  { train }: Translator,
  info: TranslatorInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const { vocabulary, ...names } = info;
  const bytes = await saveWeights(train, { dtype, metadata: { ...names, vocabulary: String(vocabulary) } });
  await writeFileAtomic(path, bytes);
  return bytes;
}

/** A translator as it lies on disk: its weights, what they are for, and how text becomes tokens. */
export interface TranslatorFile {
  path: string;
  info: TranslatorInfo;
  tokenizer: Tokenizer;
  ids: PairIds;
  parsed: SafeTensors;
}

/**
 * Reads a file of weights that the zoo wrote, and the tokenizer beside it.
 *
 * @throws InputError when one can't be read, is damaged, does not say what it is, or does not fit the other
 */
export async function readTranslator(path: string): Promise<TranslatorFile> {
  const parsed = await readParsed(path);
  const { model, dataset = "unknown", direction = "" } = parsed.metadata;
  const { name } = findTranslator(model ?? "");
  const vocabulary = Number(parsed.metadata.vocabulary);
  if (!Number.isInteger(vocabulary) || vocabulary < 4 || vocabulary > 2 ** 20 || !/^\w+-\w+$/.test(direction)) {
    throw new InputError(
      `${path} does not say its vocabulary and direction: give weights that \`train\` or \`publish\` wrote`,
    );
  }
  const tokenizer = await loadTokenizer(tokenizerPath(path));
  checkVocabularySize(tokenizer, vocabulary);
  return { path, info: { model: name, dataset, direction, vocabulary }, tokenizer, ids: pairIds(tokenizer), parsed };
}

/**
 * Builds the network of a translator's file.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export function translatorFrom({ path, info, parsed }: TranslatorFile): Translator {
  const { model, vocabulary } = info;
  const translator = findTranslator(model).build({
    sourceVocabulary: vocabulary,
    targetVocabulary: vocabulary,
    seed: null,
  });
  try {
    loadWeights(translator.train, parsed);
  } catch (error) {
    translator.dispose();
    throw new InputError(`${path}: ${(error as Error).message}`);
  }
  return translator;
}

/** @throws InputError when a tokenizer lacks a special token that translation needs */
export function pairIds({ special: { pad, bos, eos } }: Tokenizer): PairIds {
  if (pad !== undefined && bos !== undefined && eos !== undefined) return { pad, bos, eos };
  throw new InputError("the tokenizer has no tokens for padding, beginning and end: give one that `train` wrote");
}
