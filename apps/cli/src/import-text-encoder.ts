/** A BERT of others as files of ours. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { disposeBert, InputError, type TextEncoderEntry } from "@tfjs-zoo/models";
import { readVocabTxt, type Tokenizer } from "@tfjs-zoo/models/text";
import { type ImportReport, importWeights } from "@tfjs-zoo/models/weights";
import {
  bertIds,
  loadTokenizer,
  saveTextEncoder,
  saveTokenizer,
  type TextEncoderInfo,
  tokenizerPath,
} from "@tfjs-zoo/training/node";
import { type CommonFlags, type Output, startBackendFor } from "./context.ts";

export interface ImportedTextEncoder extends ImportReport, TextEncoderInfo {
  out: string;
}

/**
 * @param path of the file, for messages and for the tokenizer beside it
 * @param options.tokenizer a tokenizer.json or vocab.txt; that beside the file unless given
 * @throws InputError when one can't be read, or they do not fit the network or each other
 */
export async function importTextEncoder(
  path: string,
  bytes: Uint8Array,
  { entry, out, tokenizer: given }: { entry: TextEncoderEntry; out: string; tokenizer?: string },
  flags: CommonFlags,
  output: Output,
): Promise<ImportedTextEncoder> {
  const beside = tokenizerPath(out);
  if (existsSync(beside)) {
    throw new InputError(
      `${beside} exists already, and the tokenizer goes there: give an --out in a folder of its own`,
    );
  }
  const tokenizer = await tokenizerFor(path, given);
  const { vocabulary } = bertIds(tokenizer);
  const { name, context } = entry;
  const info: TextEncoderInfo = { model: name, dataset: "unknown", vocabulary, context };
  await startBackendFor(flags, output);
  const network = entry.build({ vocabulary, context, seed: null });
  try {
    const report = importWeights(network.pretrain, bytes);
    await saveTextEncoder(out, network.pretrain, info);
    await saveTokenizer(beside, tokenizer);
    return { ...report, out, ...info };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${path}: ${error.message} (its tokenizer has ${vocabulary} tokens)`);
  } finally {
    disposeBert(network);
  }
}

/** A tokenizer.json, or else a vocab.txt, which the older files have. */
async function tokenizerFor(path: string, given: string | undefined): Promise<Tokenizer> {
  const [json, txt] = ["tokenizer.json", "vocab.txt"].map((name) => join(dirname(path), name));
  const file = given ?? (!existsSync(json) && existsSync(txt) ? txt : json);
  if (!file.endsWith(".txt")) return loadTokenizer(file);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`can't read ${file} (${error.code}): give the vocabulary of these weights`);
  });
  return readVocabTxt(text, file);
}
