import { InputError } from "@tfjs-zoo/models";

/**
 * ROUGE-L (Lin 2004, "ROUGE: a package for automatic evaluation of summaries", sec. 3.1): how much of a summary is the
 * reference's, in its order, as Google's `rouge_score` has it without stemming. It is the mean over the summaries of F1 of
 * the longest common subsequence, with words of small ASCII letters and digits:
 *
 *   P = lcs / words of the summary        R = lcs / words of the reference        F = 2 P R / (P + R)
 *
 * @returns 0 to 100
 * @throws InputError where the counts differ, or there are none
 */
export function rougeL(hypotheses: readonly string[], references: readonly string[]): number {
  if (hypotheses.length !== references.length || hypotheses.length === 0) {
    throw new InputError(
      `${hypotheses.length} summaries and ${references.length} references: expected one reference for each of at least one`,
    );
  }
  const sum = hypotheses.reduce((total, hypothesis, i) => total + f1(wordsOf(hypothesis), wordsOf(references[i])), 0);
  return (100 * sum) / hypotheses.length;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

/** 2 P R / (P + R), which is 2 lcs / (words of both) */
function f1(a: readonly string[], b: readonly string[]): number {
  return a.length + b.length === 0 ? 0 : (2 * longestCommon(a, b)) / (a.length + b.length);
}

/** How long the longest common subsequence is. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  let above = new Array<number>(b.length + 1).fill(0); // of a so far and the first j words of b
  for (const word of a) {
    const row = [0];
    for (const [j, other] of b.entries()) {
      row.push(word === other ? above[j] + 1 : Math.max(above[j + 1], row[j]));
    }
    above = row;
  }
  return above[b.length];
}
