/** A language model of others as files of ours. */
import { dirname, join } from "node:path";
import type { LanguageModelEntry } from "@tfjs-zoo/models";
import type { ImportReport } from "@tfjs-zoo/models/weights";
import { type LanguageModelInfo, loadTokenizer, saveLanguageModel } from "@tfjs-zoo/training/node";
import { importText, type TextFile } from "./import-text.ts";

export interface ImportedLanguageModel extends ImportReport, LanguageModelInfo {
  out: string;
}

/** @throws InputError when a file can't be read, or they do not fit the network or each other */
export async function importLanguageModel(entry: LanguageModelEntry, file: TextFile): Promise<ImportedLanguageModel> {
  const tokenizer = await loadTokenizer(file.tokenizer ?? join(dirname(file.path), "tokenizer.json"));
  const { vocabularySize: vocabulary } = tokenizer;
  const { context } = entry;
  const info: LanguageModelInfo = { model: entry.name, dataset: "unknown", vocabulary, context };
  return importText(file, {
    ...{ tokenizer, info },
    build() {
      const model = entry.build({ vocabulary, context, seed: null });
      return { weights: model, save: () => saveLanguageModel(file.out, model, info), dispose: () => model.dispose() };
    },
  });
}
