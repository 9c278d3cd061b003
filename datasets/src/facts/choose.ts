import type { Random } from "../types.ts";

/** One of these, each as likely. */
export const oneOf = <T>(items: readonly T[], random: Random): T => items[random.integer(items.length)];

/** So many different ones of these, in random order. */
export function someOf<T>(items: readonly T[], count: number, random: Random): T[] {
  const left = [...items];
  return Array.from({ length: count }, () => left.splice(random.integer(left.length), 1)[0]);
}

/** All of these in random order. */
export const shuffled = <T>(items: readonly T[], random: Random): T[] => someOf(items, items.length, random);

/** A whole number from `least` to `most`. */
export const between = (least: number, most: number, random: Random): number =>
  least + random.integer(most - least + 1);

/** A sentence: its first letter large, a full stop at its end. */
export const sentence = (words: string): string => `${words[0].toUpperCase()}${words.slice(1)}.`;
