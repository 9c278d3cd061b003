import type { TextScores } from "../metrics/text-scores.ts";
import type { RunResult } from "./run-result.ts";

/**
 * What a run of a translator came to: the content of its result.json. Scores are those of the test sentences after the
 * last epoch, BLEU as sacreBLEU has it. An item is a target token.
 */
export interface TranslatorResult extends RunResult, TextScores {
  direction: string;
  /** mean cross-entropy of the test's target tokens, nats */
  loss: number;
  testSentences: number;
}
