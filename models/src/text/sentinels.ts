import { IdList } from "./id-list.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Tokens that stand for hidden spans of a text, as T5 spells them (Raffel et al. 2020, sec. 3.1.4): it has 100. */
export const sentinelTokens: readonly string[] = Array.from({ length: 100 }, (_, i) => `<extra_id_${i}>`);

/** Ids of the sentinels that a tokenizer has, in their order. */
export function sentinelIds(tokenizer: Tokenizer): number[] {
  return sentinelTokens.flatMap((token) => tokenizer.idOf(token) ?? []);
}

/**
 * The ids of a text in which sentinels stand for themselves, and all else for what it says. A space before a sentinel is
 * part of what it hides, as the next word has its own.
 */
export function encodeWithSentinels(text: string, tokenizer: Tokenizer): Int32Array {
  const ids = new IdList();
  // Every other part is what separates the text: a sentinel.
  for (const [i, part] of text.split(/\s*(<extra_id_\d+>)/).entries()) {
    const sentinel = i % 2 === 1 ? tokenizer.idOf(part) : undefined;
    if (sentinel !== undefined) ids.push(sentinel);
    else if (part !== "") for (const id of tokenizer.encode(part)) ids.push(id);
  }
  return ids.toArray();
}

/** The text of ids, with sentinels spelt out and all other special tokens left out. */
export function decodeWithSentinels(ids: ArrayLike<number>, tokenizer: Tokenizer): string {
  const sentinels = new Map(sentinelIds(tokenizer).map((id) => [id, tokenizer.tokenOf(id)]));
  const parts: string[] = [];
  let plain: number[] = [];
  const flush = () => {
    if (plain.length > 0) parts.push(tokenizer.decode(plain).trim());
    plain = [];
  };
  for (const id of Array.from(ids)) {
    const sentinel = sentinels.get(id);
    if (sentinel === undefined) plain.push(id);
    else {
      flush();
      parts.push(sentinel);
    }
  }
  flush();
  return parts.filter((part) => part !== "").join(" ");
}
