import type { Random } from "./types.ts";

/** A vocabulary as BERT's texts need it: how many tokens there are, and which of them are no words. */
export interface BertIds {
  vocabulary: number;
  pad: number;
  /** a word that the vocabulary can't spell */
  unk: number;
  /** begins a text */
  cls: number;
  /** ends a sentence */
  sep: number;
  /** stands for a hidden word */
  mask: number;
}

/** A text of which some words are hidden. */
export interface HiddenWords {
  /** what the network reads */
  ids: Int32Array;
  /** where it is asked for a word, in ascending order */
  places: Int32Array;
  /** the words that stood there */
  words: Int32Array;
}

const SHARE = 0.15;

/**
 * Hides words of a text (Devlin et al. 2019, sec. 3.1 and A.1): of 15 % that are asked for, 80 % become `[MASK]`, 10 %
 * any word, and 10 % stay, since later texts have no `[MASK]`. Special tokens are never asked for, and of a text with any
 * word at least one is.
 *
 * @param ids of a text, without padding
 */
export function hideWords(
  ids: Int32Array,
  { vocabulary, pad, unk, cls, sep, mask }: BertIds,
  random: Random,
): HiddenWords {
  const special = new Set([pad, unk, cls, sep, mask]);
  const candidates = [...ids.keys()].filter((place) => !special.has(ids[place]));
  const count = Math.min(candidates.length, Math.max(1, Math.round(SHARE * candidates.length)));
  // The first `count` of a shuffled list (Fisher & Yates).
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(candidates.length - i);
    [candidates[i], candidates[j]] = [candidates[j], candidates[i]];
  }
  const places = Int32Array.from(candidates.slice(0, count)).sort();
  const shown = ids.slice();
  for (const place of places) {
    const draw = random.uniform();
    if (draw < 0.8) shown[place] = mask;
    else if (draw < 0.9) shown[place] = anyWord(vocabulary, special, random);
  }
  return { ids: shown, places, words: places.map((place) => ids[place]) };
}

function anyWord(vocabulary: number, special: ReadonlySet<number>, random: Random): number {
  for (;;) {
    const id = random.integer(vocabulary);
    if (!special.has(id)) return id;
  }
}
