import type { FitEnd, Position } from "../loop/fit.ts";
import type { TextEvaluation } from "../tasks/language-modelling.ts";
import type { RunConfig } from "./runs/run-folder.ts";

/** What a run on running text came to: the content of its result.json. */
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

/** @param items tokens that were learned from */
export function languageModelResult(
  { model, dataset, recipeName, seed, backend, precision }: RunConfig,
  end: FitEnd,
  position: Position,
  items: number,
  { loss, perplexity, tokens }: TextEvaluation,
): LanguageModelResult {
  const { epoch: epochs, seconds, dataSeconds, stepSeconds } = position;
  return {
    ...{ end, model, dataset, recipe: String(recipeName), seed, backend, precision, epochs, loss, perplexity },
    testTokens: tokens,
    ...{ seconds, dataSeconds, stepSeconds },
    itemsPerSecond: items / (dataSeconds + stepSeconds),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}
