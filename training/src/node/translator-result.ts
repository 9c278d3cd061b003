import type { FitEnd } from "../loop/fit.ts";
import type { TextScores } from "../metrics/text-scores.ts";

/**
 * What a run of a translator came to: the content of its result.json. Scores are those of the test sentences after the
 * last epoch, BLEU as sacreBLEU has it.
 */
export interface TranslatorResult extends TextScores {
  end: FitEnd;
  model: string;
  dataset: string;
  direction: string;
  recipe: string;
  seed: number;
  backend: string;
  precision: string;
  epochs: number;
  /** mean cross-entropy of the test's target tokens, nats */
  loss: number;
  testSentences: number;
  seconds: number;
  dataSeconds: number;
  stepSeconds: number;
  /** target tokens a second */
  itemsPerSecond: number;
  peakMemoryBytes: number;
}
