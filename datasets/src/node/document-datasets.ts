import { closest } from "fastest-levenshtein";
import { documentsOf } from "../documents.ts";
import { InputError } from "../errors.ts";
import type { DocumentDataset } from "../types.ts";
import type { LoadOptions } from "./file-set.ts";
import { loadMulti30kDocuments } from "./multi30k.ts";
import { loadTextDataset, textDatasetNames } from "./text-datasets.ts";

const MULTI30K = "multi30k";

/** The names that `loadDocuments` knows, besides `text:PATH`. */
export const documentDatasetNames: readonly string[] = [MULTI30K, ...textDatasetNames];

/**
 * Loads documents of sentences, as `loadTextDataset` does running text, which is one of them: cut into sentences, and
 * these put together to documents. In Multi30k a document is what is said about one picture in all three languages.
 *
 * @param name one of `documentDatasetNames`, or `text:PATH` for any text file
 * @throws InputError as `loadTextDataset` does, and for a text that is too short
 */
export async function loadDocuments(name: string, options: LoadOptions = {}): Promise<DocumentDataset> {
  checkDocumentDatasetName(name);
  if (name === MULTI30K) return loadMulti30kDocuments(options);
  const { train, validation } = await loadTextDataset(name, options);
  return {
    name,
    train: [documentsOf(train, name)],
    validation: [documentsOf(validation, `the held-out part of ${name}`)],
  };
}

/** @throws InputError for a name that `loadDocuments` does not know, with the nearest that it does */
export function checkDocumentDatasetName(name: string): void {
  if (name === "text:") throw new InputError('"text:" names no file: give text:PATH');
  if (documentDatasetNames.includes(name) || name.startsWith("text:")) return;
  const known = [...documentDatasetNames, "text:PATH"];
  throw new InputError(
    `${name} holds no text to learn sentences from: did you mean "${closest(name, known)}"? (${known.join(", ")})`,
  );
}
