import { InputError } from "@tfjs-zoo/models";

/**
 * How many answers are the right ones, as SQuAD counts them (Rajpurkar et al. 2016, sec. 6.1): without articles and
 * punctuation, in small letters, and with one space between words.
 *
 * @returns percent, 0 to 100
 * @throws InputError where the counts differ, or there are none
 */
export function exactMatch(answers: readonly string[], references: readonly string[]): number {
  if (answers.length !== references.length || answers.length === 0) {
    throw new InputError(
      `${answers.length} answers and ${references.length} references: expected one reference for each of at least one`,
    );
  }
  const right = answers.filter((answer, i) => plain(answer) === plain(references[i]));
  return (100 * right.length) / answers.length;
}

const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, "") // ASCII's punctuation
    .replace(/\b(a|an|the)\b/g, " ")
    .split(/\s+/)
    .filter((word) => word !== "")
    .join(" ");
