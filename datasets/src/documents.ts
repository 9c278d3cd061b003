import { InputError } from "./errors.ts";

/** Documents as lists of sentences. */
export type Documents = readonly (readonly string[])[];

/** Sentences that a document has at least: it is to have several spans, and there are to be others beside it. */
const SENTENCES = 16;

/**
 * Running text as documents of sentences. Paragraphs are what stands between empty lines; in a text without these each
 * line is one. A document is as many paragraphs as have 16 sentences together: a paragraph alone is a sentence or two,
 * and has nothing to go on with.
 *
 * @param name of the text, for messages
 * @throws InputError where there are fewer than two documents
 */
export function documentsOf(text: string, name: string): Documents {
  const separator = /\n[^\S\n]*\n/.test(text.trim()) ? /\n\s*\n/ : "\n";
  const sentences = new Intl.Segmenter("en", { granularity: "sentence" });
  const documents: string[][] = [[]];
  for (const paragraph of text.split(separator)) {
    const line = paragraph.replace(/\s+/g, " ").trim();
    if (line === "") continue;
    if (documents[documents.length - 1].length >= SENTENCES) documents.push([]);
    for (const { segment } of sentences.segment(line)) documents[documents.length - 1].push(segment.trim());
  }
  if (documents.length < 2) {
    throw new InputError(
      `${name} has ${documents[0].length} sentences: more than ${SENTENCES} are needed, since what does not follow a sentence comes from elsewhere; give more text`,
    );
  }
  return documents;
}
