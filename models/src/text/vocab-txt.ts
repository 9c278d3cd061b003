import { InputError } from "../errors.ts";
import { type WordPieceOptions, WordPieceTokenizer } from "./word-piece-tokenizer.ts";

/**
 * Reads a vocab.txt, the file that BERT's vocabularies came in first: a token a line, in the order of their ids.
 *
 * @param name of the file, for messages
 * @param options.cleaning as the vocabulary was made for; that of texts in lower case unless given
 * @throws InputError, one line: a line is empty, a token is there twice, or `[UNK]` is not there
 */
export function readVocabTxt(
  text: string,
  name = "vocab.txt",
  options: Pick<WordPieceOptions, "cleaning"> = {},
): WordPieceTokenizer {
  const tokens = text.replace(/\r?\n$/, "").split(/\r?\n/);
  try {
    return new WordPieceTokenizer({ tokens, ...options });
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${name}: ${error.message}`) : error;
  }
}
