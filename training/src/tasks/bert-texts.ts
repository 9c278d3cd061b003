import type { BertIds } from "@tfjs-zoo/datasets";
import { InputError } from "@tfjs-zoo/models";
import type { Tokenizer } from "@tfjs-zoo/models/text";

const ROLES = { pad: "[PAD]", unk: "[UNK]", cls: "[CLS]", sep: "[SEP]", mask: "[MASK]" } as const;

/** The tokens of a vocabulary that BERT's texts need. @throws InputError when a tokenizer lacks one */
export function bertIds(tokenizer: Tokenizer): BertIds {
  const idOf = (token: string): number => {
    const id = tokenizer.idOf(token);
    if (id !== undefined) return id;
    throw new InputError(`the tokenizer has no token ${token}: give the WordPiece tokenizer of a BERT`);
  };
  const { pad, unk, cls, sep, mask } = ROLES;
  return {
    vocabulary: tokenizer.vocabularySize,
    ...{ pad: idOf(pad), unk: idOf(unk), cls: idOf(cls), sep: idOf(sep), mask: idOf(mask) },
  };
}

/**
 * One text as BERT reads it: `[CLS] text [SEP]`.
 *
 * @param options.special Whether `[MASK]` in the text is the token of that name.
 */
export function bertText(
  text: string,
  tokenizer: Tokenizer,
  { cls, sep }: BertIds,
  { special = false }: { special?: boolean } = {},
): Int32Array {
  return Int32Array.from([cls, ...tokenizer.encode(text, { special }), sep]);
}

/** A text of at most so many tokens: what is too long loses words at its end. */
export function cutTo(context: number, ids: Int32Array): Int32Array {
  if (ids.length <= context) return ids;
  return Int32Array.from([...ids.subarray(0, context - 1), ids[ids.length - 1]]);
}
