/** A language model of others as files of ours. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { InputError, type LanguageModelEntry } from "@tfjs-zoo/models";
import { type ImportReport, importWeights } from "@tfjs-zoo/models/weights";
import {
  type LanguageModelInfo,
  loadTokenizer,
  saveLanguageModel,
  saveTokenizer,
  tokenizerPath,
} from "@tfjs-zoo/training/node";
import { type CommonFlags, type Output, startBackendFor } from "./context.ts";

export interface ImportedLanguageModel extends ImportReport, LanguageModelInfo {
  out: string;
}

/**
 * @param path of the file, for messages and for the tokenizer beside it
 * @param options.tokenizer a tokenizer.json; that beside the file unless given
 * @throws InputError when one can't be read, or they do not fit the network or each other
 */
export async function importLanguageModel(
  path: string,
  bytes: Uint8Array,
  { entry, out, tokenizer: given }: { entry: LanguageModelEntry; out: string; tokenizer?: string },
  flags: CommonFlags,
  output: Output,
): Promise<ImportedLanguageModel> {
  const beside = tokenizerPath(out);
  if (existsSync(beside)) {
    throw new InputError(
      `${beside} exists already, and the tokenizer goes there: give an --out in a folder of its own`,
    );
  }
  const tokenizer = await loadTokenizer(given ?? join(dirname(path), "tokenizer.json"));
  const { vocabularySize: vocabulary } = tokenizer;
  const { context } = entry;
  const info: LanguageModelInfo = { model: entry.name, dataset: "unknown", vocabulary, context };
  await startBackendFor(flags, output);
  const model = entry.build({ vocabulary, context, seed: null });
  try {
    const report = importWeights(model, bytes);
    await saveLanguageModel(out, model, info);
    await saveTokenizer(beside, tokenizer);
    return { ...report, out, ...info };
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${path}: ${error.message}`);
    throw error;
  } finally {
    model.dispose();
  }
}
