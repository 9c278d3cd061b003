import { InputError } from "../errors.ts";
import { spelt, textOf, wordsOf } from "./byte-level.ts";
import type { IdList } from "./id-list.ts";
import { shown } from "./shown.ts";
import { VocabularyTokenizer } from "./tokenizer.ts";
import { MOST_TOKENS } from "./vocabulary.ts";

const UNKNOWN = "<unk>";

export interface WordOptions {
  /** In the order of their ids: special ones, of which one is `<unk>`, and words, spelt as in byte-level BPE. */
  tokens: readonly string[];
  specialTokens?: readonly string[];
  /** Puts a space before a text, so that its first word is the same token as elsewhere. Default false. */
  addPrefixSpace?: boolean;
}

/**
 * A token a word, and `<unk>` for words that it does not have, as translators had before subwords (Luong et al. 2015,
 * "Addressing the rare word problem in neural machine translation"). Words are cut as GPT-2 cuts them, each with the space
 * before it, so that known words give the text back; ids are those of Hugging Face's `WordLevel` behind `ByteLevel`.
 */
export class WordTokenizer extends VocabularyTokenizer {
  readonly addPrefixSpace: boolean;
  readonly unknownId: number;

  /** @throws InputError where there is no special token `<unk>`, or a token is spelt otherwise */
  constructor({ tokens, specialTokens = [], addPrefixSpace = false }: WordOptions) {
    super(tokens, specialTokens);
    this.addPrefixSpace = addPrefixSpace;
    const { unk } = this.vocabulary.special;
    if (unk === undefined || tokens[unk] !== UNKNOWN) {
      throw new InputError(`a tokenizer of words has no special token "${UNKNOWN}": it stands for all other words`);
    }
    this.unknownId = unk;
    const foreign = tokens.find((token, id) => !this.vocabulary.isSpecial(id) && textOf([token]) === undefined);
    if (foreign !== undefined) {
      throw new InputError(`the token ${shown(foreign)} has characters that stand for no byte: expected GPT-2's 256`);
    }
  }

  /** The words of a text as tokens are made of them, one for each id. */
  words(text: string): string[] {
    return wordsOf(text, this.addPrefixSpace);
  }

  /** The text of words, such as `words` gives. */
  join(words: readonly string[]): string {
    const text = words.join("");
    return this.addPrefixSpace && text.startsWith(" ") ? text.slice(1) : text;
  }

  protected encodeText(text: string, ids: IdList): void {
    for (const word of this.words(text)) ids.push(this.vocabulary.idOf(spelt(word)) ?? this.unknownId);
  }

  protected decodeIds(ids: readonly number[]): string {
    return this.join(ids.map((id) => this.wordOf(id)));
  }

  isSpecial(id: number): boolean {
    return this.vocabulary.isSpecial(id);
  }

  /** A token's text, with the space before it. @throws InputError for an id that no token has */
  wordOf(id: number): string {
    const token = this.tokenOf(id);
    return this.vocabulary.isSpecial(id) ? token : (textOf([token]) as string);
  }
}

/**
 * A tokenizer of the words that texts have most often; of those that are as frequent, the first in the order of their
 * characters.
 *
 * @param vocabularySize most tokens, special ones counted
 * @throws InputError where there is no text, or no room for a word
 */
export function trainWords(
  texts: Iterable<string>,
  vocabularySize: number,
  {
    specialTokens = ["<pad>", "<s>", "</s>", UNKNOWN],
    addPrefixSpace = false,
  }: { specialTokens?: readonly string[]; addPrefixSpace?: boolean } = {},
): WordTokenizer {
  const room = vocabularySize - specialTokens.length;
  if (!Number.isInteger(vocabularySize) || room < 1 || vocabularySize > MOST_TOKENS) {
    throw new InputError(
      `a vocabulary of ${vocabularySize} tokens: give a whole number from ${specialTokens.length + 1} to ${MOST_TOKENS}`,
    );
  }
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of wordsOf(text, addPrefixSpace)) {
      const token = spelt(word);
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
  }
  for (const token of specialTokens) counts.delete(token);
  if (counts.size === 0) throw new InputError("there is no text to learn a vocabulary from");
  const words = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, room);
  return new WordTokenizer({
    tokens: [...specialTokens, ...words.map(([word]) => word)],
    specialTokens,
    addPrefixSpace,
  });
}
