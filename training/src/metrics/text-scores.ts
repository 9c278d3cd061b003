import { corpusBleu } from "./bleu.ts";
import { exactMatch } from "./exact-match.ts";
import { rougeL } from "./rouge.ts";

/** What texts that a network wrote come to, each from 0 to 100: BLEU, and what their data set asks for. */
export interface TextScores {
  bleu: number;
  exactMatch?: number;
  rougeL?: number;
}

/** @throws InputError as `corpusBleu` */
export function textScores(
  written: readonly string[],
  references: readonly string[],
  metric?: "exact-match" | "rouge-l",
): TextScores {
  return {
    bleu: corpusBleu(written, references).score,
    ...(metric === "exact-match" && { exactMatch: exactMatch(written, references) }),
    ...(metric === "rouge-l" && { rougeL: rougeL(written, references) }),
  };
}

/** Of these scores the one that a data set is known by. */
export function mainScore({ bleu, exactMatch, rougeL }: TextScores): { name: string; value: number } {
  if (exactMatch !== undefined) return { name: "exact match", value: exactMatch };
  return rougeL === undefined ? { name: "BLEU", value: bleu } : { name: "ROUGE-L", value: rougeL };
}
