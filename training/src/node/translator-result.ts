import type { FitEnd } from "../loop/fit.ts";

/** What a run of a translator came to: the content of its result.json. */
export interface TranslatorResult {
  end: FitEnd;
  model: string;
  dataset: string;
  direction: string;
  recipe: string;
  seed: number;
  backend: string;
  precision: string;
  epochs: number;
  /** BLEU of the test sentences, as sacreBLEU has it, after the last epoch */
  bleu: number;
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
