import { InputError } from "../errors.ts";
import { bertWords, type Cleaning, clean } from "./bert-words.ts";
import type { IdList } from "./id-list.ts";
import { shown } from "./shown.ts";
import { VocabularyTokenizer } from "./tokenizer.ts";

export interface WordPieceOptions {
  /** In the order of their ids. */
  tokens: readonly string[];
  /** Default: those of `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]` that are among the tokens. */
  specialTokens?: readonly string[];
  /** Stands for a word that the tokens can't spell. Default `[UNK]`. */
  unknownToken?: string;
  /** Begins a token that goes on with a word. Default `##`. */
  continuingPrefix?: string;
  /** A word of more characters is unknown. Default 100. */
  longestWord?: number;
  /** What is done to a text first. Default: all, as bert-base-uncased. */
  cleaning?: Partial<Cleaning>;
  /** Whether decoding takes the spaces off that it puts before punctuation. Default true. */
  tidy?: boolean;
}

const BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/** What decoding makes of a token with the space before it (`tokenizers`, decoders/wordpiece). */
const TIDY: readonly [string, string][] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/**
 * WordPiece as BERT has it (Devlin et al. 2019; Schuster & Nakajima 2012): a word is the longest token that begins it,
 * then the longest that goes on, and so forth. A word with a part that no token begins is unknown as a whole.
 *
 * Encoding puts no `[CLS]` and `[SEP]`; ids are otherwise those of Hugging Face's `tokenizers`.
 */
export class WordPieceTokenizer extends VocabularyTokenizer {
  readonly unknownToken: string;
  readonly continuingPrefix: string;
  readonly longestWord: number;
  readonly cleaning: Cleaning;
  readonly tidy: boolean;
  private readonly unknownId: number;
  /** Characters of the longest token: no need to look for longer ones. */
  private readonly longestToken: number;

  /** @throws InputError where the unknown token is not among the tokens */
  constructor(options: WordPieceOptions) {
    const { tokens, specialTokens = BERT_SPECIAL.filter((token) => tokens.includes(token)) } = options;
    super(tokens, specialTokens);
    this.unknownToken = options.unknownToken ?? "[UNK]";
    this.continuingPrefix = options.continuingPrefix ?? "##";
    this.longestWord = options.longestWord ?? 100;
    this.tidy = options.tidy ?? true;
    const lowerCase = options.cleaning?.lowerCase ?? true;
    this.cleaning = { clean: true, splitHan: true, stripAccents: lowerCase, ...options.cleaning, lowerCase };
    this.unknownId = this.vocabulary.requireId(this.unknownToken);
    this.longestToken = tokens.reduce((most, token) => Math.max(most, token.length), 0);
    if (!Number.isInteger(this.longestWord) || this.longestWord < 1) {
      throw new InputError(`the longest word has ${shown(this.longestWord)} characters: expected at least 1`);
    }
  }

  protected encodeText(text: string, ids: IdList): void {
    for (const word of bertWords(clean(text, this.cleaning))) this.encodeWord(word, ids);
  }

  protected decodeIds(ids: readonly number[]): string {
    const { continuingPrefix } = this;
    return ids
      .map((id, i) => {
        const token = this.tokenOf(id);
        const goesOn = token.startsWith(continuingPrefix);
        const piece = i === 0 ? token : goesOn ? token.slice(continuingPrefix.length) : ` ${token}`;
        return this.tidy ? TIDY.reduce((text, [from, to]) => text.replaceAll(from, to), piece) : piece;
      })
      .join("");
  }

  private encodeWord(word: string, ids: IdList): void {
    const characters = [...word];
    const before = ids.length;
    if (characters.length <= this.longestWord) {
      let first = 0;
      while (first < characters.length) {
        const prefix = first === 0 ? "" : this.continuingPrefix;
        let end = Math.min(characters.length, first + this.longestToken);
        let id: number | undefined;
        for (; end > first; end--) {
          id = this.vocabulary.idOf(prefix + characters.slice(first, end).join(""));
          if (id !== undefined) break;
        }
        if (id === undefined) break;
        ids.push(id);
        first = end;
      }
      if (first === characters.length) return;
    }
    ids.truncate(before);
    ids.push(this.unknownId);
  }
}
