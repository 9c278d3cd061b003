import type * as tf from "@tensorflow/tfjs-core";
import type { WeightVariable } from "../optim/index.ts";

/** Scalars by name. */
export type Scalars = { [name: string]: tf.Scalar };

/** One update: a loss, and the weights that it moves. */
export interface Update<Inputs> {
  readonly name: string;
  readonly variables: readonly WeightVariable[];
  /** It is made in every so many steps only; in every one unless given. */
  readonly every?: number;
  /** No weight goes beyond this on either side of 0: what moves it further is cut off. */
  readonly bound?: number;
  /** The loss of a batch in training mode: its mean over the items. */
  loss(inputs: Inputs): Losses;
}

/** A loss, with what else is worth recording of a batch. */
export interface Losses {
  loss: tf.Scalar;
  /** sums over the items */
  metrics?: Scalars;
  /** What is a mean over the items, as the loss is. */
  means?: Scalars;
}

/**
 * What is learned: maps networks and a batch to losses, updates and metrics, so that the trainer knows no model.
 * A classifier has one update; a GAN has two, which take turns.
 */
export interface Task<Batch, Inputs extends tf.TensorContainer = tf.TensorContainer> {
  readonly updates: readonly Update<Inputs>[];
  /** Every weight of every network, running statistics too: what a checkpoint holds. */
  readonly weights: readonly WeightVariable[];
  /** Those that no step changes, running statistics of frozen layers too: the moving average leaves them alone. */
  readonly frozen?: readonly WeightVariable[];
  /** Items in a batch, for rates and means. */
  size(batch: Batch): number;
  /** A batch as tensors, for the update of a name. */
  upload(batch: Batch, update: string): Inputs;
  /** Called before every step: where random layers draw from. */
  seed(seed: number, step: number): void;
}
