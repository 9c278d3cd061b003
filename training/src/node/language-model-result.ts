import type { FitEnd } from "../loop/fit.ts";

/** What a run of a language model came to: the content of its result.json. */
export interface LanguageModelResult {
  end: FitEnd;
  model: string;
  dataset: string;
  recipe: string;
  seed: number;
  backend: string;
  precision: string;
  epochs: number;
  /** on the whole held-out text, after the last epoch: nats a token */
  loss: number;
  /** e to the loss */
  perplexity: number;
  /** tokens of the held-out text that were measured */
  testTokens: number;
  /** seconds of training, over all processes of the run */
  seconds: number;
  /** of these, waiting for batches */
  dataSeconds: number;
  /** of these, in steps; the rest is held-out tests and checkpoints */
  stepSeconds: number;
  /** tokens a second */
  itemsPerSecond: number;
  /** most memory that the process held, bytes; of the last one, where the run was resumed */
  peakMemoryBytes: number;
}
