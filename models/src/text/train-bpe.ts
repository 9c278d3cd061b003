import { InputError } from "../errors.ts";
import { BpeTokenizer } from "./bpe-tokenizer.ts";
import { byteAlphabet, byteCharacters, wordsOf } from "./byte-level.ts";
import { type Pair, PairCounts } from "./pair-counts.ts";
import { MOST_TOKENS } from "./vocabulary.ts";

export interface TrainBpeOptions {
  /** First tokens of the vocabulary. Default `<pad>`, `<s>`, `</s>`. */
  specialTokens?: readonly string[];
  /** See `BpeTokenizer`. */
  addPrefixSpace?: boolean;
  /** Pairs that are seen less often are not merged. Default 2. */
  minFrequency?: number;
  /** Told now and then how many tokens are learnt, of how many. */
  progress?: (done: number, total: number) => void;
}

const PROGRESS_EVERY = 64;

/**
 * Learns the merges of a `BpeTokenizer`: again and again the most frequent pair of neighbours within words becomes a
 * token (Sennrich, Haddow & Birch 2016, algorithm 1). Where several are as frequent it is the one whose left token has
 * the lowest id, and then the right one: the text alone decides, and the merges are those of Hugging Face's `BpeTrainer`
 * with the alphabet of bytes.
 *
 * Pairs are counted once, and then only where a merge changed them; a heap has the most frequent one.
 *
 * @param texts such as the lines of a file; a word never goes from one to the next
 * @param vocabularySize most tokens, of which 256 are bytes; there are fewer where no pair is frequent enough
 * @throws InputError where there is no room for the bytes, or no text
 */
export function trainBpe(
  texts: string | Iterable<string>,
  vocabularySize: number,
  { specialTokens = ["<pad>", "<s>", "</s>"], addPrefixSpace = false, minFrequency, progress }: TrainBpeOptions = {},
): BpeTokenizer {
  const tokens = [...specialTokens, ...byteAlphabet];
  if (!Number.isInteger(vocabularySize) || vocabularySize < tokens.length || vocabularySize > MOST_TOKENS) {
    throw new InputError(
      `a vocabulary of ${vocabularySize} tokens: give a whole number from ${tokens.length} (256 bytes and ${specialTokens.length} special tokens) to ${MOST_TOKENS}`,
    );
  }
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const { words, counts } = countWords(typeof texts === "string" ? [texts] : texts, addPrefixSpace, ids);
  if (words.length === 0) throw new InputError("there is no text to learn a vocabulary from");

  const merges = learnMerges({ tokens, ids, words, counts }, vocabularySize, { minFrequency, progress });
  return new BpeTokenizer({ tokens, merges, specialTokens, addPrefixSpace });
}

/** What there is to learn from: tokens and their ids, the different words as ids, and how often each is there. */
interface MergeTexts {
  tokens: string[];
  ids: Map<string, number>;
  words: number[][];
  counts: number[];
}

/**
 * Adds to the tokens what the most frequent pairs of neighbours make, one after the other.
 *
 * @param options.joined the token that a pair makes; both one after the other unless given
 * @returns the pairs, in the order in which they became tokens
 */
export function learnMerges(
  { tokens, ids, words, counts }: MergeTexts,
  vocabularySize: number,
  {
    minFrequency = 2,
    joined = (left, right) => left + right,
    progress,
  }: Pick<TrainBpeOptions, "minFrequency" | "progress"> & { joined?: (left: string, right: string) => string },
): [string, string][] {
  const pairs = new PairCounts(vocabularySize, Math.max(1, minFrequency));
  for (const [word, symbols] of words.entries()) {
    for (let i = 0; i + 1 < symbols.length; i++) pairs.change(symbols[i], symbols[i + 1], counts[word], word);
  }
  // By pair: one that became a token can come up again only where two pairs make the same text.
  const merges = new Map<number, [string, string]>();
  const base = tokens.length;
  const tell = () => progress?.(tokens.length - base, vocabularySize - base);
  while (tokens.length < vocabularySize) {
    const pair = pairs.mostFrequent();
    if (!pair) break;
    const [left, right] = [tokens[pair.left], tokens[pair.right]];
    // The same text may come from two pairs; it is one token.
    const token = joined(left, right);
    const id = ids.get(token) ?? tokens.push(token) - 1;
    ids.set(token, id);
    merges.set(pair.left * vocabularySize + pair.right, [left, right]);
    for (const word of pair.words) {
      words[word] = merge(words[word], pair, id, (a, b, sign) => pairs.change(a, b, sign * counts[word], word));
    }
    pairs.remove(pair);
    if (merges.size % PROGRESS_EVERY === 0) tell();
  }
  tell();
  return [...merges.values()];
}

/** The different words of the texts as the ids of their bytes, and how often each is there. */
function countWords(
  texts: Iterable<string>,
  addPrefixSpace: boolean,
  ids: ReadonlyMap<string, number>,
): { words: number[][]; counts: number[] } {
  const frequency = new Map<string, number>();
  for (const text of texts) {
    for (const word of wordsOf(text, addPrefixSpace)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  }
  const utf8 = new TextEncoder();
  const idOf = (byte: number) => ids.get(byteCharacters[byte]) as number;
  const words = Array.from(frequency.keys(), (word) => Array.from(utf8.encode(word), idOf));
  return { words, counts: [...frequency.values()] };
}

/**
 * A word in which a pair became one token, from left to right.
 *
 * @param changed is told of each pair of neighbours that is gone, and of each that is new
 */
function merge(
  symbols: readonly number[],
  { left, right }: Pair,
  id: number,
  changed: (a: number, b: number, sign: 1 | -1) => void,
): number[] {
  const result: number[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] !== left || symbols[i + 1] !== right) {
      result.push(symbols[i]);
      continue;
    }
    const before = result.at(-1);
    const after = symbols[i + 2];
    if (before !== undefined) {
      changed(before, left, -1);
      changed(before, id, 1);
    }
    if (after !== undefined) {
      changed(right, after, -1);
      changed(id, after, 1);
    }
    result.push(id);
    i++;
  }
  return result;
}
