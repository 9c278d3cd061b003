/** A network of others that reads a text and writes one, as files of ours. */
import { dirname, join } from "node:path";
import type { TranslatorEntry } from "@tfjs-zoo/models";
import { withUnusedTokens } from "@tfjs-zoo/models/text";
import type { ImportReport } from "@tfjs-zoo/models/weights";
import { loadTokenizer, saveTranslator, TEXTS, type TranslatorInfo } from "@tfjs-zoo/training/node";
import { importText, type TextFile } from "./import-text.ts";

export interface ImportedTranslator extends ImportReport, TranslatorInfo {
  out: string;
}

/** Rows of a table that no token may have. */
const MOST_UNUSED = 128;

/** @throws InputError when a file can't be read, or they do not fit the network or each other */
export async function importTranslator(entry: TranslatorEntry, file: TextFile): Promise<ImportedTranslator> {
  const loaded = await loadTokenizer(file.tokenizer ?? join(dirname(file.path), "tokenizer.json"));
  const known = loaded.vocabularySize;
  const unused = entry.vocabulary - known;
  const vocabulary = unused > 0 && unused <= MOST_UNUSED ? entry.vocabulary : known;
  const info: TranslatorInfo = { model: entry.name, dataset: "unknown", direction: TEXTS, vocabulary };
  return importText(file, {
    ...{ tokenizer: withUnusedTokens(loaded, vocabulary), info },
    build() {
      const translator = entry.build({ sourceVocabulary: vocabulary, targetVocabulary: vocabulary, seed: null });
      const save = () => saveTranslator(file.out, translator, info);
      return { weights: translator.train, save, dispose: () => translator.dispose() };
    },
  });
}
