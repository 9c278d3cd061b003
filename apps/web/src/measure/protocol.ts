import type { OpCost, Rate } from "@tfjs-zoo/training/bench";
import type { Backend } from "../shared/backend.ts";

/** What is measured, and how. */
export interface Settings {
  model: string;
  backend: Backend;
  /** images or texts a step */
  batch: number;
  /** that count */
  steps: number;
}

/** Training steps as they were measured; names are those of `bench train --json`. */
export interface Speed extends Settings {
  task: "train";
  precision: "f32";
  unit: "images" | "tokens";
  ours: Rate;
  /** tensors before and after the steps that count: the same, where nothing leaks */
  tensors: [before: number, after: number];
  /** where the time goes; missing where the device can't tell */
  ops?: OpCost[];
}

/** What one op's checks came to. */
export interface Checked {
  op: string;
  /** the largest error of a value or a gradient, relative */
  worst: number;
  /** checks that failed, and why */
  wrong: string[];
}

/** What the page asks the worker for. */
export type Order = ({ kind: "speed" } & Settings) | { kind: "gradients"; backend: Backend };

/** What the worker says. */
export type Report =
  | { kind: "state"; text: string }
  | { kind: "speed"; speed: Speed }
  | { kind: "checked"; checked: Checked; done: number; total: number }
  | { kind: "done" }
  | { kind: "problem"; text: string };
