import { InputError } from "../errors.ts";
import { IdList } from "./id-list.ts";
import { type SpecialIds, Vocabulary } from "./vocabulary.ts";

export interface EncodeOptions {
  /**
   * Whether "<s>" in the text is the special token of that name. Off by default: what somebody wrote is text, and cannot
   * end a sequence.
   */
  special?: boolean;
}

export interface DecodeOptions {
  /** Whether special tokens are spelt out. Off by default: they stand for no text. */
  special?: boolean;
}

/** Text to ids and back. */
export interface Tokenizer {
  readonly vocabularySize: number;
  /** Ids of the special tokens, by what they are for; encoding never puts them there. */
  readonly special: SpecialIds;
  /** @throws InputError where the text has what the tokenizer has no token for */
  encode(text: string, options?: EncodeOptions): Int32Array;
  /** @throws InputError for an id that no token has */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /** The id of a token as the vocabulary spells it. */
  idOf(token: string): number | undefined;
  /** @throws InputError for an id that no token has */
  tokenOf(id: number): string;
}

/** What tokenizers have in common: a vocabulary, and special tokens in it. */
export abstract class VocabularyTokenizer implements Tokenizer {
  readonly vocabulary: Vocabulary;

  /** @throws InputError as `Vocabulary` */
  constructor(tokens: readonly string[], specialTokens: readonly string[]) {
    this.vocabulary = new Vocabulary(tokens, specialTokens);
  }

  get vocabularySize(): number {
    return this.vocabulary.size;
  }

  get special(): SpecialIds {
    return this.vocabulary.special;
  }

  idOf(token: string): number | undefined {
    return this.vocabulary.idOf(token);
  }

  tokenOf(id: number): string {
    return this.vocabulary.tokenOf(id);
  }

  encode(text: string, { special = false }: EncodeOptions = {}): Int32Array {
    const ids = new IdList();
    if (!special) this.encodeText(text, ids);
    else {
      // Every other part is what separates the text: a special token.
      for (const [i, part] of this.vocabulary.splitAtSpecial(text).entries()) {
        if (i % 2 === 1) ids.push(this.vocabulary.requireId(part));
        else if (part !== "") this.encodeText(part, ids);
      }
    }
    return ids.toArray();
  }

  decode(ids: ArrayLike<number>, { special = false }: DecodeOptions = {}): string {
    const shown: number[] = [];
    for (let i = 0; i < ids.length; i++) {
      this.vocabulary.tokenOf(ids[i]); // throws for a wrong id, also for one that is not shown
      if (special || !this.vocabulary.isSpecial(ids[i])) shown.push(ids[i]);
    }
    return this.decodeIds(shown);
  }

  /** Appends the ids of a text in which nothing is special. */
  protected abstract encodeText(text: string, ids: IdList): void;

  protected abstract decodeIds(ids: readonly number[]): string;
}

/**
 * A network looks each token up in a table: as many rows as tokens, or the two are not of the same training.
 *
 * @param rows of the network's embedding
 * @throws InputError where they differ
 */
export function checkVocabularySize({ vocabularySize }: Tokenizer, rows: number): void {
  if (vocabularySize === rows) return;
  throw new InputError(
    `the tokenizer has ${vocabularySize} tokens and the network's embedding ${rows} rows: give the tokenizer that the network was trained with`,
  );
}
