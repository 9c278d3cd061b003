import type { FitEnd, Position } from "../loop/fit.ts";
import type { TextEvaluation } from "../tasks/language-modelling.ts";
import { type RunResult, runResult } from "./run-result.ts";
import type { RunConfig } from "./runs/run-folder.ts";

/** What a run on running text came to: the content of its result.json. An item is a token. */
export interface LanguageModelResult extends RunResult {
  /** on the whole held-out text, after the last epoch: nats a token */
  loss: number;
  /** e to the loss */
  perplexity: number;
  /** tokens of the held-out text that were measured */
  testTokens: number;
}

/** @param items tokens that were learned from */
export function languageModelResult(
  config: RunConfig,
  end: FitEnd,
  position: Position,
  items: number,
  { loss, perplexity, tokens: testTokens }: TextEvaluation,
): LanguageModelResult {
  const perSecond = items / (position.dataSeconds + position.stepSeconds);
  return { ...runResult(config, end, position, perSecond), loss, perplexity, testTokens };
}
