import type { Answers } from "../tasks/masked-language.ts";
import type { RunResult } from "./run-result.ts";

/** What a text encoder came to that learned from text alone: the content of its result.json. An item is a token. */
export interface TextEncoderResult extends RunResult {
  /** on the held-out text, after the last epoch: of the hidden words, and of what follows */
  words: Answers;
  next: Answers;
}

/** What a classifier of texts came to: the content of its result.json. An item is a text. */
export interface TextClassifierResult extends RunResult {
  /** on the whole test set, after the last epoch */
  accuracy: number;
  loss: number;
  testTexts: number;
}
