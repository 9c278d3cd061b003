import { InputError } from "@tfjs-zoo/models";

/** Corpus BLEU and what it is made of. */
export interface Bleu {
  /** 0 to 100 */
  score: number;
  /** [4] percent of the hypotheses' 1- to 4-grams that a reference has; smoothed where none has */
  precisions: number[];
  /** 0 to 1: less than 1 where the hypotheses are shorter than the references */
  brevityPenalty: number;
  /** tokens of all hypotheses, and of all references */
  hypothesisLength: number;
  referenceLength: number;
}

const ORDERS = [1, 2, 3, 4];

/** What Python splits at; \s has U+FEFF, and lacks U+001C to U+001F and U+0085. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are white space to the reference
const SPACE = /[\p{White_Space}\u001c-\u001f]+/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are white space to the reference
const TRAILING_SPACE = /[\p{White_Space}\u001c-\u001f]+$/u;

/**
 * Corpus BLEU (Papineni, Roukos, Ward & Zhu 2002, sec. 2.3), as sacreBLEU has it by default (Post 2018): tokens of
 * mteval-v13a, case kept, n-grams of up to 4, one reference a hypothesis, and where no n-gram of an order matches half
 * of one, of the next such order a quarter … (smoothing "exp": Chen & Cherry 2014, sec. 3, method 3).
 *
 *   BLEU = min(1, e^(1 − r / c)) · exp(1/4 Σ ln pₙ)
 *
 * @param hypotheses sentences as a network wrote them, not tokenised
 * @param references the sentences that they are compared with
 * @throws InputError where the counts differ, there are none, or a reference is empty
 */
export function corpusBleu(hypotheses: readonly string[], references: readonly string[]): Bleu {
  if (hypotheses.length !== references.length || hypotheses.length === 0) {
    throw new InputError(
      `${hypotheses.length} hypotheses and ${references.length} references: expected one reference for each of at least one`,
    );
  }
  const empty = references.indexOf("");
  if (empty >= 0) throw new InputError(`reference ${empty} is empty: expected a sentence`);

  let hypothesisLength = 0;
  let referenceLength = 0;
  const matches = ORDERS.map(() => 0);
  const totals = ORDERS.map(() => 0);
  for (const [i, hypothesis] of hypotheses.entries()) {
    const [ours, theirs] = [tokenize13a(hypothesis), tokenize13a(references[i])];
    hypothesisLength += ours.length;
    referenceLength += theirs.length;
    for (const [place, n] of ORDERS.entries()) {
      const known = ngrams(theirs, n);
      for (const [ngram, count] of ngrams(ours, n)) {
        totals[place] += count;
        matches[place] += Math.min(count, known.get(ngram) ?? 0);
      }
    }
  }

  const brevityPenalty =
    hypothesisLength >= referenceLength
      ? 1
      : hypothesisLength > 0
        ? Math.exp(1 - referenceLength / hypothesisLength)
        : 0;
  const precisions = smoothed(matches, totals);
  const score = brevityPenalty * Math.exp(precisions.reduce((sum, p) => sum + Math.log(p), 0) / ORDERS.length);
  return { score, precisions, brevityPenalty, hypothesisLength, referenceLength };
}

/** In percent; 0 from the first order on of which there is no n-gram at all, and everywhere if not even a word matches. */
function smoothed(matches: readonly number[], totals: readonly number[]): number[] {
  const precisions = matches.map(() => 0);
  if (matches.every((count) => count === 0)) return precisions;
  let share = 1;
  for (const [place, total] of totals.entries()) {
    if (total === 0) break;
    if (matches[place] === 0) share /= 2;
    precisions[place] = (100 * (matches[place] || share)) / total;
  }
  return precisions;
}

function ngrams(tokens: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= tokens.length; i++) {
    const ngram = tokens.slice(i, i + n).join(" ");
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

/**
 * A sentence as words and signs: mteval-v13a.pl's tokens for Western languages. Signs other than . , - ' stand alone; . and
 * , do where no digit is on both sides, - after a digit.
 */
export function tokenize13a(sentence: string): string[] {
  const plain = sentence
    .replace(TRAILING_SPACE, "")
    .replaceAll("<skipped>", "")
    .replaceAll("-\n", "")
    .replaceAll("\n", " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
  return ` ${plain} `
    .replace(/[{-~[-` -&(-+:-@/]/gu, " $& ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])(-)/gu, "$1 $2 ")
    .split(SPACE)
    .filter((token) => token !== "");
}
