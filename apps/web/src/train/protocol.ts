import type { FitEnd, Position, TrainerState } from "@tfjs-zoo/training";
import type { Point } from "@tfjs-zoo/training/charts";
import type { Backend } from "../shared/backend.ts";
import type { PackedSet } from "./packed-set.ts";

/** What is trained, and how. */
export interface Settings {
  model: string;
  dataset: string;
  epochs: number;
  batchSize: number;
  /** the peak of its schedule */
  learningRate: number;
}

/** What the curves show. */
export interface History {
  /** each step's */
  loss: Point[];
  accuracy: Point[];
  /** of images that are held out, after each epoch */
  heldOutLoss: Point[];
  heldOutAccuracy: Point[];
}

/** A training as it is kept in the browser: all that it needs to go on. */
export interface Kept {
  settings: Settings;
  state: TrainerState;
  step: number;
  position: Position;
  history: History;
}

/** What the page asks the worker for. */
export type Order =
  | { kind: "train"; settings: Settings; set: PackedSet; backend: Backend; from?: Kept }
  | { kind: "stop" }
  /** the weights as a file */
  | { kind: "save" }
  /** takes a file of weights up, and tests the network */
  | { kind: "open"; settings: Settings; set: PackedSet; backend: Backend; file: { bytes: Uint8Array; name: string } };

/** What the worker says. */
export type Report =
  | { kind: "state"; text: string }
  | { kind: "step"; loss: Point; accuracy: Point; meanLoss: number; imagesPerSecond: number; secondsLeft: number }
  | { kind: "epoch"; loss: Point; accuracy: Point }
  | { kind: "kept" }
  | { kind: "tested"; accuracy: number; images: number; classes: readonly string[]; confusion: number[][] }
  | { kind: "ended"; end: FitEnd }
  | { kind: "weights"; bytes: Uint8Array; name: string }
  | { kind: "done" }
  | { kind: "problem"; text: string };
