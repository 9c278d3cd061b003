import { readFile, stat } from "node:fs/promises";
import { decodeText } from "../decode-text.ts";
import { InputError } from "../errors.ts";
import { alignLines, parsePairs } from "../sentence-pairs.ts";
import { splitText } from "../split-text.ts";
import type { PairDataset, SentencePairs, TextDataset } from "../types.ts";
import { splitPairs } from "./split-pairs.ts";

/** Node's strings have half as many characters at most. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Any text file: its first nine tenths to train on, the rest to validate on.
 *
 * @throws InputError where it can't be read, is no text in UTF-8, or is too short
 */
export async function loadTextFile(path: string): Promise<TextDataset> {
  return { name: `text:${path}`, ...splitText(await readText(path), path) };
}

/**
 * Pairs of your own: one file with a sentence, a tab and its translation a line, or, where there is no file of that
 * name, two with a comma between, of which line i of one translates line i of the other.
 *
 * @param options `direction` says what the two columns are, "source-target" by default; `seed` is of the draw that
 *   takes the parts to validate and to test on, 0 by default
 * @throws InputError where a file can't be read, is no text in UTF-8, or a line is not as expected
 */
export async function loadPairFile(
  path: string,
  { direction = "source-target", seed = 0 }: { direction?: string; seed?: number } = {},
): Promise<PairDataset> {
  const languages = direction.split("-");
  if (languages.length !== 2 || languages.some((language) => !/^\w+$/.test(language))) {
    throw new InputError(`the direction "${direction}" is not like de-en: name the language of each column`);
  }
  const [source, target] = languages;
  const name = `pairs:${path}`;
  return { name, source, target, ...splitPairs(await readPairs(path), name, seed) };
}

/**
 * Reads lines of two parts, from one file with tabs, or from two files.
 *
 * @param second what the second part is, for messages
 * @throws InputError where a file can't be read, or a line is not as expected
 */
export async function readPairs(path: string, second?: string): Promise<SentencePairs> {
  const paths = path.split(",");
  if (paths.length === 2 && !(await stat(path).catch(() => undefined))) {
    const [first, second] = paths;
    return alignLines([await readText(first), await readText(second)], [first, second]);
  }
  return parsePairs(await readText(path), path, second);
}

async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    const found = await stat(path);
    if (!found.isFile()) {
      throw new InputError(`${path} is ${found.isDirectory() ? "a folder" : "no file"}: give a text file`);
    }
    if (found.size > MOST_BYTES) {
      throw new InputError(`${path} has ${found.size} bytes: at most ${MOST_BYTES} can be read, give a part of it`);
    }
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new InputError(`${path} does not exist: give a text file in UTF-8`);
    }
    throw new InputError(`cannot read ${path} (${code ?? error}): check its permissions`);
  }
  return decodeText(bytes, path);
}
