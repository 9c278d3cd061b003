import type * as tf from "@tensorflow/tfjs-core";

/** Vectors that an optimizer carries from step to step, all [size]. */
export type Slots = { [slot: string]: tf.Tensor1D };

export interface UpdateInput {
  /** weights θ [size] */
  weights: tf.Tensor1D;
  /** gradient g [size] */
  gradient: tf.Tensor1D;
  slots: Slots;
  learningRate: number;
  /** weight decay λ */
  decay: number;
  /** 1 at the first update */
  step: number;
  /** shapes of the weights that the vectors join, in their order */
  shapes: readonly (readonly number[])[];
}

/** An update rule on flat vectors, as a pure function; it runs inside a tidy. */
export interface Optimizer {
  readonly name: string;
  /** The vectors that it carries; zeros at first. */
  readonly slots: readonly string[];
  update(input: UpdateInput): { weights: tf.Tensor1D; slots: Slots };
}
