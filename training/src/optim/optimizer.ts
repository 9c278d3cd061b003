import type * as tf from "@tensorflow/tfjs-core";

/** Vectors that an optimizer carries from step to step, all [size]: of one weight after the other. */
export type Slots = { [slot: string]: tf.Tensor1D };

export interface UpdateInput {
  /** weights θ, of any shapes: size numbers together */
  weights: readonly tf.Tensor[];
  /** their gradients g */
  gradients: readonly tf.Tensor[];
  /** by what the gradients are multiplied first */
  scale: number;
  slots: Slots;
  learningRate: number;
  /** weight decay λ */
  decay: number;
  /** 1 at the first update */
  step: number;
}

/** An update rule, as a pure function; it runs inside a tidy. */
export interface Optimizer {
  readonly name: string;
  /** The vectors that it carries; zeros at first. */
  readonly slots: readonly string[];
  update(input: UpdateInput): { weights: tf.Tensor[]; slots: Slots };
}
