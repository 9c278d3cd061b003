import type { BeamNode, TranslationAttention } from "@tfjs-zoo/models";
import type { Backend } from "../shared/backend.ts";
import type { Pretrained } from "../shared/pretrained.ts";

/** What the page asks the worker for: one sentence, by one network. The entry's files have absolute addresses. */
export interface Order {
  entry: Pretrained;
  sentence: string;
  beams: number;
  backend: Backend;
}

/** A translation that was found. */
export interface Found {
  text: string;
  /** Σ log-probabilities / length penalty, nats */
  score: number;
  /** its last node's place in the tree */
  node: number;
}

/** What one network made of one sentence. */
export interface Answer {
  /** NAME.TAG */
  name: string;
  backend: Backend;
  /** the best first */
  found: Found[];
  /** What each token of the sentence and of the best translation adds to its text; behind them "" where there is an end. */
  source: string[];
  written: string[];
  /** Whether the best translation came to its end; else it is as long as one may be. */
  ended: boolean;
  /** rows are `written`, columns `source` */
  attention: TranslationAttention;
  /** all that the search followed, and the text of each node's token */
  tree: BeamNode[];
  nodeTexts: string[];
  /** of the search alone */
  seconds: number;
}

/** What the worker says. */
export type Report =
  | { kind: "state"; text: string }
  | { kind: "answer"; answer: Answer }
  | { kind: "problem"; text: string };
