import { InputError } from "../errors.ts";
import type { IdList } from "./id-list.ts";
import { shown } from "./shown.ts";
import { VocabularyTokenizer } from "./tokenizer.ts";

const UNKNOWN = "<unk>";

export interface CharTokenizerOptions {
  /** What a character becomes that has no token: an error, or the token `<unk>`. Default "refuse". */
  unknown?: "refuse" | "unk";
  /** Tokens before the characters, such as `<pad>`. */
  specialTokens?: readonly string[];
}

/** A token a character: a Unicode code point. */
export class CharTokenizer extends VocabularyTokenizer {
  /** @param tokens the special ones and characters, in the order of their ids */
  constructor(tokens: readonly string[], specialTokens: readonly string[] = []) {
    super(tokens, specialTokens);
    const long = tokens.find((token, id) => !this.vocabulary.isSpecial(id) && [...token].length !== 1);
    if (long !== undefined) throw new InputError(`the token ${shown(long)} is not one character`);
    const short = specialTokens.find((token) => [...token].length === 1);
    if (short !== undefined) {
      throw new InputError(
        `the special token ${shown(short)} is one character, which a text may have: name it otherwise`,
      );
    }
  }

  /**
   * A tokenizer of the characters of a text, in the order of their code points.
   *
   * @throws InputError where there are none
   */
  static fromText(text: string, { unknown = "refuse", specialTokens = [] }: CharTokenizerOptions = {}): CharTokenizer {
    const special = unknown === "unk" && !specialTokens.includes(UNKNOWN) ? [...specialTokens, UNKNOWN] : specialTokens;
    // The parts of a pair of surrogates that stand alone are no characters; no file in UTF-8 has them.
    const characters = new Set(text.replace(/\p{Surrogate}/gu, ""));
    return new CharTokenizer([...special, ...[...characters].sort(byCodePoint)], special);
  }

  protected encodeText(text: string, ids: IdList): void {
    const { vocabulary } = this;
    for (const character of text) {
      const id = vocabulary.idOf(character) ?? vocabulary.special.unk;
      if (id === undefined) throw this.unknownCharacter(character);
      ids.push(id);
    }
  }

  protected decodeIds(ids: readonly number[]): string {
    return ids.map((id) => this.tokenOf(id)).join("");
  }

  private unknownCharacter(character: string): InputError {
    const number = (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0");
    return new InputError(
      `the character ${shown(character)} (U+${number}) is none of the tokenizer's ${this.vocabularySize}: leave it out, or train with a token for unknown ones`,
    );
  }
}

const byCodePoint = (a: string, b: string): number => (a.codePointAt(0) as number) - (b.codePointAt(0) as number);
