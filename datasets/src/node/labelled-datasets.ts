import { closest } from "fastest-levenshtein";
import { InputError } from "../errors.ts";
import { classesOf, labelled } from "../labelled-texts.ts";
import type { LabelledTextDataset } from "../types.ts";
import type { FileSet, LoadOptions } from "./file-set.ts";
import { loadMulti30kLanguages, multi30kFiles } from "./multi30k.ts";
import { splitPairs } from "./split-pairs.ts";
import { readPairs } from "./text-file.ts";

const LABELS = "labels:";

const sets: Record<string, { files: FileSet; load(options: LoadOptions): Promise<LabelledTextDataset> }> = {
  "multi30k-languages": { files: multi30kFiles, load: loadMulti30kLanguages },
};

/** The names that `loadLabelledTexts` knows, besides `labels:PATH`. */
export const labelledTextNames: readonly string[] = Object.keys(sets);

/** Whether a name is that of labelled texts. */
export const isLabelledTexts = (name: string): boolean => name.startsWith(LABELS) || labelledTextNames.includes(name);

/**
 * Loads labelled texts, fetching them first where this machine has not got them, as `loadTextDataset` does text.
 *
 * @param name one of `labelledTextNames`, or `labels:PATH` for a file with a text, a tab and its label a line, of which a
 *   twentieth is drawn to validate on and as much to test on
 * @throws InputError for an unknown name, for damaged files, or where a line is not as expected
 */
export async function loadLabelledTexts(name: string, options: LoadOptions = {}): Promise<LabelledTextDataset> {
  checkLabelledTextName(name);
  if (!name.startsWith(LABELS)) return sets[name].load(options);
  const path = name.slice(LABELS.length);
  const lines = await readPairs(path, "its label");
  const classes = classesOf([lines], path);
  const { train, validation, test } = splitPairs(lines, path, 0);
  return {
    name,
    classes,
    train: labelled(train, classes),
    validation: labelled(validation, classes),
    test: labelled(test, classes),
  };
}

/** @throws InputError for a name that `loadLabelledTexts` does not know, with the nearest that it does */
export function checkLabelledTextName(name: string): void {
  if (name === LABELS) throw new InputError(`"${name}" names no file: give ${LABELS}PATH`);
  if (isLabelledTexts(name)) return;
  const known = [...labelledTextNames, `${LABELS}PATH`];
  throw new InputError(
    `${name} holds no labelled texts: did you mean "${closest(name, known)}"? (${known.join(", ")})`,
  );
}
