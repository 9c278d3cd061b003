import { InputError } from "../errors.ts";
import { bertWords, clean } from "./bert-words.ts";
import { learnMerges } from "./train-bpe.ts";
import { MOST_TOKENS } from "./vocabulary.ts";
import { type WordPieceOptions, WordPieceTokenizer } from "./word-piece-tokenizer.ts";

export interface TrainWordPieceOptions extends Pick<WordPieceOptions, "cleaning"> {
  /** Pairs that are seen less often are not merged. Default 2. */
  minFrequency?: number;
  /** Told now and then how many tokens are learnt, of how many. */
  progress?: (done: number, total: number) => void;
}

const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const CONTINUING = "##";

/** Characters that become tokens at most; what is rarer is unknown. */
const MOST_CHARACTERS = 1000;

/**
 * Learns the tokens of a `WordPieceTokenizer` as Hugging Face's `WordPieceTrainer` does: characters first, each as it
 * begins a word and as it goes on with one, then again and again what the most frequent pair of neighbours makes. (The
 * code that made BERT's own vocabulary was not published.) Where several pairs are as frequent it is the one whose left
 * token has the lowest id, and then the right one: the text alone decides.
 *
 * @param texts such as the lines of a file; a word never goes from one to the next
 * @param vocabularySize most tokens, special ones and characters among them; there are fewer where no pair is frequent
 *   enough
 * @throws InputError where there is no room for a character, or no text
 */
export function trainWordPiece(
  texts: Iterable<string>,
  vocabularySize: number,
  { cleaning, minFrequency, progress }: TrainWordPieceOptions = {},
): WordPieceTokenizer {
  const { cleaning: asEncoded } = new WordPieceTokenizer({ tokens: SPECIAL, cleaning });
  const frequency = new Map<string, number>();
  for (const text of texts) {
    for (const word of bertWords(clean(text, asEncoded))) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  }
  const alphabet = alphabetOf(frequency);
  if (alphabet.size === 0) throw new InputError("there is no text to learn a vocabulary from");

  const inside = new Set<string>();
  const spelt: string[][] = [];
  const counts: number[] = [];
  for (const [word, count] of frequency) {
    const characters = [...word];
    if (!characters.every((character) => alphabet.has(character))) continue;
    for (const character of characters.slice(1)) inside.add(character);
    spelt.push(characters.map((character, i) => (i === 0 ? character : CONTINUING + character)));
    counts.push(count);
  }
  const tokens = [...SPECIAL, ...alphabet, ...inOrder(inside).map((character) => CONTINUING + character)];
  if (!Number.isInteger(vocabularySize) || vocabularySize < tokens.length || vocabularySize > MOST_TOKENS) {
    throw new InputError(
      `a vocabulary of ${vocabularySize} tokens: give a whole number from ${tokens.length} (the text's characters and ${SPECIAL.length} special tokens) to ${MOST_TOKENS}`,
    );
  }
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const words = spelt.map((pieces) => pieces.map((piece) => ids.get(piece) as number));
  learnMerges({ tokens, ids, words, counts }, vocabularySize, {
    joined: (left, right) => left + right.slice(CONTINUING.length), // the right one never begins a word
    minFrequency,
    progress,
  });
  return new WordPieceTokenizer({ tokens, cleaning });
}

/** The characters of words, or the most frequent of them, in the order of their code points. */
function alphabetOf(frequency: ReadonlyMap<string, number>): Set<string> {
  const counts = new Map<string, number>();
  for (const [word, count] of frequency) {
    for (const character of word) counts.set(character, (counts.get(character) ?? 0) + count);
  }
  const ranked = inOrder(counts.keys()).sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  return new Set(inOrder(ranked.slice(0, MOST_CHARACTERS)));
}

const inOrder = (characters: Iterable<string>): string[] =>
  [...characters].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
