import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { readTokenizer, type Tokenizer, writeTokenizer } from "@tfjs-zoo/models/text";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";
import { bytesOf } from "./weights-file.ts";

/** Larger than any tokenizer.json in use, and less than a string can hold. */
const LARGEST_TOKENIZER = 2 ** 27;

/** Where the tokenizer of a file of weights lies: beside it. */
export const tokenizerPath = (weights: string): string => join(dirname(weights), "tokenizer.json");

export async function saveTokenizer(path: string, tokenizer: Tokenizer): Promise<void> {
  await writeFileAtomic(path, writeTokenizer(tokenizer));
}

/** @throws InputError when it can't be read or is no tokenizer */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  return readTokenizer(await tokenizerText(path), path);
}

/** @throws InputError when it can't be read */
export async function tokenizerText(path: string): Promise<string> {
  const bytes = await bytesOf(path, "the tokenizer of weights lies beside them", LARGEST_TOKENIZER);
  return new TextDecoder().decode(bytes);
}

/** The tokenizer of a run that goes on; one that was stopped before its first step has none yet. */
export async function savedTokenizer({ dir }: RunFolder): Promise<Tokenizer | undefined> {
  const path = join(dir, "tokenizer.json");
  return existsSync(path) ? loadTokenizer(path) : undefined;
}
