import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";

/**
 * What becomes of the losses of all elements: their mean; the sum of each example's (along the first axis), and the mean
 * of those over the batch, as likelihoods are counted; those sums; or nothing.
 */
export type Reduction = "mean" | "batchMean" | "each" | "none";

/** The same as the numbers by which native kernels know them (training/native/variational.h). */
export const reductionNumbers: { readonly [name in Reduction]: number } = { mean: 0, batchMean: 1, each: 2, none: 3 };

export interface ReductionAttrs {
  /** `mean` unless given */
  reduction?: Reduction;
}

/** [], [batch] for `each`, the shape of the losses for `none` */
export function reduced(losses: tf.Tensor, reduction: Reduction = "mean"): tf.Tensor {
  if (reduction === "none") return losses;
  if (reduction === "each") return tf.sum(tf.reshape(losses, [losses.shape[0] ?? 1, -1]), 1);
  return reduction === "mean" ? tf.mean(losses) : tf.div(tf.sum(losses), losses.shape[0] ?? 1);
}

/** The gradient of `reduced`: what each element's loss counts, as a tensor that can stand beside the losses. */
export function reducedGradient(dy: tf.Tensor, { shape, size }: tf.Tensor, reduction: Reduction = "mean"): tf.Tensor {
  if (reduction === "none") return dy;
  if (reduction === "each") return tf.reshape(dy, [shape[0] ?? 1, ...shape.slice(1).map(() => 1)]); // [batch, 1, …]
  return tf.div(dy, reduction === "mean" ? size : (shape[0] ?? 1));
}

/** @throws InputError unless all shapes are the same */
export function expectOneShape(op: string, tensors: { [name: string]: tf.Tensor | undefined }): void {
  const given = Object.entries(tensors).flatMap(([name, tensor]) => (tensor ? [{ name, shape: tensor.shape }] : []));
  if (given.some(({ shape }) => !tf.util.arraysEqual(shape, given[0].shape))) {
    const shapes = given.map(({ name, shape }) => `${name} [${shape}]`);
    throw new InputError(`${op} got ${shapes.join(" and ")}; expected equal shapes`);
  }
}
