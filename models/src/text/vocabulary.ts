import { InputError } from "../errors.ts";
import { shown } from "./shown.ts";

/** More than any tokenizer in use has; what says more is made to fill the memory. */
export const MOST_TOKENS = 1_000_000;

/**
 * Characters of one special token, and of all of them together, which are searched for at once: those in use have some
 * tens, and some thousands.
 */
const [LONGEST_SPECIAL, MOST_SPECIAL] = [256, 2 ** 16];

/** What special tokens are for, with the names that the usual tokenizers have for them, the likeliest first. */
const ROLES = {
  pad: ["<pad>", "[PAD]"],
  unk: ["<unk>", "[UNK]"],
  bos: ["<s>", "<bos>", "[BOS]", "[CLS]", "<|endoftext|>"],
  eos: ["</s>", "<eos>", "[EOS]", "[SEP]", "<|endoftext|>"],
} as const;

/** Ids of the special tokens that a tokenizer has: padding, unknown, beginning and end of a sequence. */
export type SpecialIds = { readonly [role in keyof typeof ROLES]?: number };

/** A tokenizer's tokens: the place in the list is the id. */
export class Vocabulary {
  readonly size: number;
  readonly special: SpecialIds;
  private readonly ids = new Map<string, number>();
  private readonly specialIds: ReadonlySet<number>;
  private readonly specialPattern?: RegExp;

  /**
   * @param tokens each once, none of them empty
   * @param specialTokens those that stand for no text
   * @throws InputError where a token is there twice, is empty, or a special one is not among them, or they are very long
   */
  constructor(
    readonly tokens: readonly string[],
    readonly specialTokens: readonly string[],
  ) {
    if (tokens.length === 0 || tokens.length > MOST_TOKENS) {
      throw new InputError(`a vocabulary of ${tokens.length} tokens: expected 1 to ${MOST_TOKENS}`);
    }
    this.size = tokens.length;
    for (const [id, token] of tokens.entries()) {
      const before = this.ids.get(token);
      if (before !== undefined) {
        throw new InputError(`the tokens ${before} and ${id} are both ${shown(token)}: expected each token once`);
      }
      if (token === "") throw new InputError(`the token ${id} is empty: expected at least one character`);
      this.ids.set(token, id);
    }
    this.specialIds = new Set(specialTokens.map((token) => this.requireId(token)));
    const lengths = specialTokens.map(({ length }) => length);
    const [longest, all] = [
      lengths.reduce((most, length) => Math.max(most, length), 0),
      lengths.reduce((sum, length) => sum + length, 0),
    ];
    if (longest > LONGEST_SPECIAL || all > MOST_SPECIAL) {
      throw new InputError(
        `special tokens of ${longest} characters, and ${all} together: expected at most ${LONGEST_SPECIAL} and ${MOST_SPECIAL}`,
      );
    }
    if (specialTokens.length > 0) {
      const longestFirst = [...specialTokens].sort((a, b) => b.length - a.length);
      this.specialPattern = new RegExp(
        `(${longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|")})`,
      );
    }
    this.special = Object.fromEntries(
      Object.entries(ROLES).flatMap(([role, names]) => {
        const name = names.find((name) => specialTokens.includes(name));
        return name === undefined ? [] : [[role, this.idOf(name)]];
      }),
    );
  }

  idOf(token: string): number | undefined {
    return this.ids.get(token);
  }

  /** @throws InputError for a token that is not there */
  requireId(token: string): number {
    const id = this.ids.get(token);
    if (id === undefined) throw new InputError(`the vocabulary has no token ${shown(token)}`);
    return id;
  }

  /** @throws InputError for an id that no token has */
  tokenOf(id: number): string {
    const token = this.tokens[id];
    if (token === undefined) {
      throw new InputError(`there is no token ${id}: this vocabulary has ${this.size}, from 0 to ${this.size - 1}`);
    }
    return token;
  }

  isSpecial(id: number): boolean {
    return this.specialIds.has(id);
  }

  /** Cuts a text at the special tokens that are spelt in it, the longest where several begin. */
  splitAtSpecial(text: string): string[] {
    return this.specialPattern ? text.split(this.specialPattern) : [text];
  }
}
