import { InputError } from "../errors.ts";
import type { IdList } from "./id-list.ts";
import { shown } from "./shown.ts";
import { VocabularyTokenizer } from "./tokenizer.ts";

/** Stands for the space before a word. */
const SPACE = "▁";

/** What a character without a piece costs more than the least likely piece. */
const UNKNOWN_PENALTY = 10;

/** Words whose ids are remembered. */
const MOST_CACHED = 1 << 16;
const LONGEST_CACHED = 64;

export interface UnigramOptions {
  /** In the order of their ids. */
  tokens: readonly string[];
  /** Logarithm of each token's probability; those of special tokens do not count. */
  scores: readonly number[];
  specialTokens?: readonly string[];
}

/**
 * Unigram language model over pieces of words (Kudo 2018, "Subword regularization", sec. 3.2), as SentencePiece has it and
 * T5 uses it: of all ways to cut a word into pieces the likeliest, by Viterbi's algorithm. A word begins with "▁". Ids are
 * those of Hugging Face's `tokenizers`.
 *
 * Before, the text is put into Unicode's form NFKC, and white space becomes one space: SentencePiece's own table of
 * characters, which a tokenizer.json has in a form of its own, differs from that for some rare ones.
 */
export class UnigramTokenizer extends VocabularyTokenizer {
  readonly scores: readonly number[];
  private readonly longest: number;
  private readonly unknown: number;
  private readonly unknownScore: number;
  private readonly cache = new Map<string, readonly number[]>();

  /** @throws InputError where there is no `<unk>`, or not a finite score for each token */
  constructor({ tokens, scores, specialTokens = [] }: UnigramOptions) {
    super(tokens, specialTokens);
    const { unk } = this.special;
    if (unk === undefined) throw new InputError('a Unigram tokenizer needs a special token "<unk>"');
    const wrong = tokens.findIndex((_, id) => !Number.isFinite(scores[id]));
    if (wrong >= 0 || scores.length !== tokens.length) {
      throw new InputError(
        wrong >= 0
          ? `the token ${shown(tokens[wrong])} has the score ${shown(scores[wrong])}: expected a number`
          : `there are ${scores.length} scores for ${tokens.length} tokens: expected as many`,
      );
    }
    this.scores = scores;
    this.unknown = unk;
    this.unknownScore = scores.reduce((least, score) => Math.min(least, score), 0) - UNKNOWN_PENALTY;
    this.longest = tokens.reduce((longest, token) => Math.max(longest, token.length), 1);
  }

  protected encodeText(text: string, ids: IdList): void {
    for (const word of wordsOf(text.normalize("NFKC"))) {
      let pieces = this.cache.get(word);
      if (!pieces) {
        pieces = this.likeliest(word);
        if (this.cache.size >= MOST_CACHED) this.cache.clear();
        if (word.length <= LONGEST_CACHED) this.cache.set(word, pieces);
      }
      for (const id of pieces) ids.push(id);
    }
  }

  protected decodeIds(ids: readonly number[]): string {
    const text = ids.map((id) => this.tokenOf(id)).join("");
    return text.replaceAll(SPACE, " ").replace(/^ /, "");
  }

  /** The pieces of the likeliest cut; neighbours without a piece are one unknown token. */
  private likeliest(word: string): number[] {
    const ends: { score: number; from: number; id: number }[] = [];
    ends[0] = { score: 0, from: 0, id: -1 };
    const offer = (from: number, end: number, id: number, score: number) => {
      if (ends[end] === undefined || score > ends[end].score) ends[end] = { score, from, id };
    };
    for (let from = 0; from < word.length; ) {
      const character = (word.codePointAt(from) as number) > 0xffff ? 2 : 1;
      const { score } = ends[from];
      let alone = false;
      for (let end = from + 1; end <= Math.min(word.length, from + this.longest); end++) {
        const id = this.vocabulary.idOf(word.slice(from, end));
        if (id === undefined || this.vocabulary.isSpecial(id)) continue;
        offer(from, end, id, score + this.scores[id]);
        alone ||= end === from + character;
      }
      if (!alone) offer(from, from + character, this.unknown, score + this.unknownScore);
      from += character;
    }
    const ids: number[] = [];
    for (let end = word.length; end > 0; end = ends[end].from) {
      const { id } = ends[end];
      if (id !== this.unknown || ids.at(-1) !== this.unknown) ids.push(id);
    }
    return ids.reverse();
  }
}

/** What stands between white space, each with a "▁" before it; one that the text has begins a word too. */
const wordsOf = (text: string): string[] =>
  text
    .split(/\p{White_Space}+/u)
    .filter((word) => word !== "")
    .flatMap((word) => (word.startsWith(SPACE) ? word : SPACE + word).split(/(?=▁)/));
