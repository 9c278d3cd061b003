import { closest } from "fastest-levenshtein";
import { InputError } from "../errors.ts";
import type { PairDataset, TextDataset } from "../types.ts";
import { factSets, loadFacts } from "./facts.ts";
import { type FileSet, type FileSetStatus, fileSetStatus, type LoadOptions } from "./file-set.ts";
import { loadMulti30k, multi30kFiles } from "./multi30k.ts";
import { loadTatoeba, tatoebaFiles } from "./tatoeba.ts";
import { loadPairFile, loadTextFile } from "./text-file.ts";
import { loadTinyShakespeare, tinyShakespeareFiles } from "./tiny-shakespeare.ts";

export interface LoadPairOptions extends LoadOptions {
  /** From which language into which, as in "de-en". Each set has its own default. */
  direction?: string;
  /** Decides what is held out of sets that come in one piece. Default 0. */
  seed?: number;
}

const TEXT = "text:";
const PAIRS = "pairs:";

const textSets: Record<string, { files: FileSet; load(options: LoadOptions): Promise<TextDataset> }> = {
  "tiny-shakespeare": { files: tinyShakespeareFiles, load: loadTinyShakespeare },
};

const pairSets: Record<string, { files: FileSet; load(options: LoadPairOptions): Promise<PairDataset> }> = {
  multi30k: { files: multi30kFiles, load: loadMulti30k },
  tatoeba: { files: tatoebaFiles, load: loadTatoeba },
};

const isFacts = (name: string): name is keyof typeof factSets => Object.hasOwn(factSets, name);

/** The names that `loadTextDataset` knows, besides `text:PATH`. */
export const textDatasetNames: readonly string[] = Object.keys(textSets);
/** The names that `loadPairDataset` knows, besides `pairs:PATH`. */
export const pairDatasetNames: readonly string[] = [...Object.keys(pairSets), ...Object.keys(factSets)];

/**
 * Loads running text for a language model, fetching it first where this machine has not got it. What is fetched is
 * verified by checksum, at every load.
 *
 * @param name one of `textDatasetNames`, or `text:PATH` for any text file
 * @throws InputError for an unknown name, damaged files, or where nothing is cached and no source is within reach
 */
export async function loadTextDataset(name: string, options: LoadOptions = {}): Promise<TextDataset> {
  checkTextDatasetName(name);
  return name.startsWith(TEXT) ? loadTextFile(name.slice(TEXT.length)) : textSets[name].load(options);
}

/**
 * Loads pairs of sentences for translation, as `loadTextDataset` does text, or writes those of `factSets`.
 *
 * @param name one of `pairDatasetNames`; `pairs:PATH` for a file with a sentence, a tab and its translation a line;
 *   `pairs:PATH,PATH` for two files of as many lines
 */
export async function loadPairDataset(name: string, options: LoadPairOptions = {}): Promise<PairDataset> {
  checkPairDatasetName(name);
  if (isFacts(name)) return loadFacts(name, options);
  return name.startsWith(PAIRS) ? loadPairFile(name.slice(PAIRS.length), options) : pairSets[name].load(options);
}

/** @throws InputError for a name that `loadTextDataset` does not know, with the nearest that it does */
export function checkTextDatasetName(name: string): void {
  checkName(name, text, pairs);
}

/** @throws InputError for a name that `loadPairDataset` does not know, with the nearest that it does */
export function checkPairDatasetName(name: string): void {
  checkName(name, pairs, text);
}

interface Kind {
  names: readonly string[];
  prefix: string;
  holds: string;
}

const text: Kind = { names: textDatasetNames, prefix: TEXT, holds: "running text" };
const pairs: Kind = { names: pairDatasetNames, prefix: PAIRS, holds: "pairs of sentences" };

function checkName(name: string, kind: Kind, other: Kind): void {
  if (name === kind.prefix) throw new InputError(`"${name}" names no file: give ${kind.prefix}PATH`);
  const isOf = ({ names, prefix }: Kind) => names.includes(name) || name.startsWith(prefix);
  if (isOf(kind)) return;
  const known = [...kind.names, `${kind.prefix}PATH`];
  const list = known.join(", ");
  if (isOf(other)) throw new InputError(`${name} holds ${other.holds}, not ${kind.holds}: give one of ${list}`);
  throw new InputError(`unknown data set "${name}": did you mean "${closest(name, known)}"? There are ${list}`);
}

/** Where each set of text lies on this machine, for `zoo data`; nothing is read, verified or fetched. */
export function textDatasetStatus(): Promise<FileSetStatus[]> {
  return Promise.all([...Object.values(textSets), ...Object.values(pairSets)].map(({ files }) => fileSetStatus(files)));
}
