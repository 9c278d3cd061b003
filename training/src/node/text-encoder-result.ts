import type { FitEnd } from "../loop/fit.ts";
import type { Answers } from "../tasks/masked-language.ts";

/** What runs of text encoders have in common. */
interface TextRunResult {
  end: FitEnd;
  model: string;
  dataset: string;
  recipe: string;
  seed: number;
  backend: string;
  precision: string;
  epochs: number;
  /** seconds of training, over all processes of the run; of these, waiting for batches, and in steps */
  seconds: number;
  dataSeconds: number;
  stepSeconds: number;
  itemsPerSecond: number;
  /** most memory that the process held, bytes; of the last one, where the run was resumed */
  peakMemoryBytes: number;
}

/** What a text encoder came to that learned from text alone: the content of its result.json. An item is a token. */
export interface TextEncoderResult extends TextRunResult {
  /** on the held-out text, after the last epoch: of the hidden words, and of what follows */
  words: Answers;
  next: Answers;
}

/** What a classifier of texts came to: the content of its result.json. An item is a text. */
export interface TextClassifierResult extends TextRunResult {
  /** on the whole test set, after the last epoch */
  accuracy: number;
  loss: number;
  testTexts: number;
}
