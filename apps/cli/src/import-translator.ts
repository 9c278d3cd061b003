/** A network of others that reads a text and writes one, as files of ours. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { InputError, type TranslatorEntry } from "@tfjs-zoo/models";
import { readTokenizer, type Tokenizer, writeTokenizer } from "@tfjs-zoo/models/text";
import { type ImportReport, importWeights } from "@tfjs-zoo/models/weights";
import {
  loadTokenizer,
  saveTokenizer,
  saveTranslator,
  type TranslatorInfo,
  tokenizerPath,
} from "@tfjs-zoo/training/node";
import { type CommonFlags, type Output, startBackendFor } from "./context.ts";

export interface ImportedTranslator extends ImportReport, TranslatorInfo {
  out: string;
}

/** Rows of a table that no token may have. */
const MOST_UNUSED = 128;

/**
 * @param path of the file, for messages and for the tokenizer beside it
 * @param options.tokenizer a tokenizer.json; that beside the file unless given
 * @throws InputError when one can't be read, or they do not fit the network or each other
 */
export async function importTranslator(
  path: string,
  bytes: Uint8Array,
  { entry, out, tokenizer: given }: { entry: TranslatorEntry; out: string; tokenizer?: string },
  flags: CommonFlags,
  output: Output,
): Promise<ImportedTranslator> {
  const beside = tokenizerPath(out);
  if (existsSync(beside)) {
    throw new InputError(
      `${beside} exists already, and the tokenizer goes there: give an --out in a folder of its own`,
    );
  }
  const loaded = await loadTokenizer(given ?? join(dirname(path), "tokenizer.json"));
  const known = loaded.vocabularySize;
  const unused = entry.vocabulary - known;
  const vocabulary = unused > 0 && unused <= MOST_UNUSED ? entry.vocabulary : known;
  const tokenizer = withUnused(loaded, vocabulary);
  const info: TranslatorInfo = { model: entry.name, dataset: "unknown", direction: "text-text", vocabulary };
  await startBackendFor(flags, output);
  const translator = entry.build({ sourceVocabulary: vocabulary, targetVocabulary: vocabulary, seed: null });
  try {
    const report = importWeights(translator.train, bytes);
    await saveTranslator(out, translator, info);
    await saveTokenizer(beside, tokenizer);
    return { ...report, out, ...info };
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${path}: ${error.message}`);
    throw error;
  } finally {
    translator.dispose();
  }
}

/** T5's table has 28 rows more than there are tokens, as 128 goes into its rows: these are special tokens, for no text. */
function withUnused(tokenizer: Tokenizer, size: number): Tokenizer {
  const file = JSON.parse(writeTokenizer(tokenizer)) as { added_tokens: object[] };
  for (let id = tokenizer.vocabularySize; id < size; id++) {
    file.added_tokens.push({ id, content: `<unused_${id}>`, special: true });
  }
  return readTokenizer(JSON.stringify(file));
}
