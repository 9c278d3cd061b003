import { InputError } from "../errors.ts";
import { byteCharacters, byteOf, textOf, wordsOf } from "./byte-level.ts";
import { Heap } from "./heap.ts";
import type { IdList } from "./id-list.ts";
import { shown } from "./shown.ts";
import { VocabularyTokenizer } from "./tokenizer.ts";

/** Words whose ids are remembered: text has few that are long, and these are seldom seen again. */
const MOST_CACHED = 1 << 16;
const LONGEST_CACHED = 64;

export interface BpeOptions {
  /** In the order of their ids: special ones, the 256 bytes, and what merges make. */
  tokens: readonly string[];
  /** Pairs of tokens that become one, the most important first. */
  merges: readonly (readonly [left: string, right: string])[];
  specialTokens?: readonly string[];
  /** Puts a space before a text, so that its first word has the same tokens as elsewhere. Default false, as GPT-2. */
  addPrefixSpace?: boolean;
}

/**
 * Byte-pair encoding (Sennrich, Haddow & Birch 2016, sec. 3.2) of bytes, as GPT-2 has it: in each word the pair that
 * was merged first in training is merged first, the leftmost where it is there several times.
 *
 * Nothing is unknown, and `decode(encode(text))` is the text, but for lone surrogates, which are no characters.
 * Ids are those of Hugging Face's `tokenizers`, with special tokens in the text left as text.
 */
export class BpeTokenizer extends VocabularyTokenizer {
  readonly merges: BpeOptions["merges"];
  readonly addPrefixSpace: boolean;
  private readonly utf8 = new TextEncoder();
  /** [256] the id of each byte */
  private readonly byteIds: Int32Array;
  /** The place among the merges of a pair of ids, by left * size + right. */
  private readonly ranks = new Map<number, number>();
  /** [merges] the id of what a merge makes */
  private readonly merged: Int32Array;
  private readonly cache = new Map<string, readonly number[]>();

  /** @throws InputError where a byte has no token, or a merge is of or makes what is no token, or is there twice */
  constructor({ tokens, merges, specialTokens = [], addPrefixSpace = false }: BpeOptions) {
    super(tokens, specialTokens);
    this.merges = merges;
    this.addPrefixSpace = addPrefixSpace;
    const { vocabulary } = this;
    const foreign = tokens.find(
      (token, id) => !vocabulary.isSpecial(id) && [...token].some((character) => byteOf(character) === undefined),
    );
    if (foreign !== undefined) {
      throw new InputError(`the token ${shown(foreign)} has characters that stand for no byte: expected GPT-2's 256`);
    }
    this.byteIds = Int32Array.from(byteCharacters, (character, byte) => {
      const id = vocabulary.idOf(character);
      if (id !== undefined) return id;
      const lacks = `the vocabulary lacks ${shown(character)} for the byte 0x${byte.toString(16).padStart(2, "0")}`;
      throw new InputError(`${lacks}: expected all 256; train it with the whole alphabet of bytes`);
    });
    this.merged = Int32Array.from(merges, ([left, right], rank) => {
      const ids = [left, right, left + right].map((token) => vocabulary.idOf(token));
      const missing = ids.indexOf(undefined);
      if (missing >= 0) {
        const token = [left, right, left + right][missing];
        throw new InputError(`merge ${rank} is of ${shown(left)} and ${shown(right)}, and ${shown(token)} is no token`);
      }
      const key = this.key(ids[0] as number, ids[1] as number);
      if (this.ranks.has(key))
        throw new InputError(`merge ${rank} of ${shown(left)} and ${shown(right)} is there twice`);
      this.ranks.set(key, rank);
      return ids[2] as number;
    });
  }

  protected encodeText(text: string, ids: IdList): void {
    for (const word of wordsOf(text, this.addPrefixSpace)) {
      let pieces = this.cache.get(word);
      if (!pieces) {
        pieces = this.encodeWord(word);
        if (this.cache.size >= MOST_CACHED) this.cache.clear();
        if (word.length <= LONGEST_CACHED) this.cache.set(word, pieces);
      }
      for (const id of pieces) ids.push(id);
    }
  }

  /** Takes the space off that encoding put before the text. */
  protected decodeIds(ids: readonly number[]): string {
    const tokens = ids.map((id) => this.tokenOf(id));
    const text = textOf(tokens, (i) => this.vocabulary.isSpecial(ids[i])) as string;
    return this.addPrefixSpace && text.startsWith(" ") ? text.slice(1) : text;
  }

  private encodeWord(word: string): number[] {
    const symbols = Array.from(this.utf8.encode(word), (byte) => this.byteIds[byte]);
    const count = symbols.length;
    // Neighbours by position; a symbol that was merged into the one before it is -1.
    const next = symbols.map((_, at) => at + 1);
    const previous = symbols.map((_, at) => at - 1);
    // rank * count + position: the lowest rank first, and of these the leftmost.
    const queue = new Heap<number>((a, b) => a < b);
    const rankAt = (at: number) =>
      next[at] < count ? this.ranks.get(this.key(symbols[at], symbols[next[at]])) : undefined;
    const offer = (at: number) => {
      const rank = rankAt(at);
      if (rank !== undefined) queue.push(rank * count + at);
    };
    for (let at = 0; at < count; at++) offer(at);
    for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
      const at = top % count;
      const rank = (top - at) / count;
      if (symbols[at] < 0 || rankAt(at) !== rank) continue; // one of the two is part of another merge by now
      const right = next[at];
      symbols[at] = this.merged[rank];
      symbols[right] = -1;
      next[at] = next[right];
      if (next[at] < count) previous[next[at]] = at;
      if (previous[at] >= 0) offer(previous[at]);
      offer(at);
    }
    return symbols.filter((id) => id >= 0);
  }

  private key(left: number, right: number): number {
    return left * this.vocabulary.size + right;
  }
}
