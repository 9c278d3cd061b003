/** A BERT of others as files of ours. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { disposeBert, InputError, type TextEncoderEntry } from "@tfjs-zoo/models";
import { readVocabTxt, type Tokenizer } from "@tfjs-zoo/models/text";
import type { ImportReport } from "@tfjs-zoo/models/weights";
import { bertIds, loadTokenizer, saveTextEncoder, type TextEncoderInfo } from "@tfjs-zoo/training/node";
import { importText, type TextFile } from "./import-text.ts";

export interface ImportedTextEncoder extends ImportReport, TextEncoderInfo {
  out: string;
}

/** @throws InputError when a file can't be read, or they do not fit the network or each other */
export async function importTextEncoder(entry: TextEncoderEntry, file: TextFile): Promise<ImportedTextEncoder> {
  const tokenizer = await tokenizerFor(file.path, file.tokenizer);
  const { vocabulary } = bertIds(tokenizer);
  const { name, context } = entry;
  const info: TextEncoderInfo = { model: name, dataset: "unknown", vocabulary, context };
  return importText(file, {
    ...{ tokenizer, info },
    build() {
      const network = entry.build({ vocabulary, context, seed: null });
      const { pretrain } = network;
      const save = () => saveTextEncoder(file.out, pretrain, info);
      return { weights: pretrain, save, dispose: () => disposeBert(network) };
    },
  });
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
