import * as tf from "@tensorflow/tfjs-core";
import { runKernel } from "./differentiable.ts";

/** Kernels that a backend may have for these. */
const normKernel = "ZooNorm";
const joinKernel = "ZooJoin";
const splitKernel = "ZooSplit";

/**
 * Tensors of any shapes as one vector, one after the other. For optimizers; it has no gradient of its own.
 *
 * @returns [sum of the sizes]
 */
export function join(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  if (tf.getKernel(joinKernel, tf.getBackend()) !== undefined) {
    return runKernel(joinKernel, Object.fromEntries(tensors.entries()), {})[0] as tf.Tensor1D;
  }
  return tf.tidy(() => tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [-1]) as tf.Tensor1D)));
}

/**
 * The inverse of `join`.
 *
 * @param flat [sum of the sizes]
 * @param shapes of the parts
 */
export function split(flat: tf.Tensor1D, shapes: readonly (readonly number[])[]): tf.Tensor[] {
  if (tf.getKernel(splitKernel, tf.getBackend()) !== undefined) return runKernel(splitKernel, { flat }, { shapes });
  return tf.tidy(() => {
    const parts = tf.split(
      flat,
      shapes.map((shape) => tf.util.sizeFromShape([...shape])),
    );
    return parts.map((part, i) => tf.reshape(part, [...shapes[i]]));
  });
}

/** A vector [size] as tensors of others' shapes. */
export const likewise = (flat: tf.Tensor1D, others: readonly tf.Tensor[]): tf.Tensor[] =>
  split(
    flat,
    others.map(({ shape }) => shape),
  );

/** A vector [size] times a number; nothing to do where that is 1. */
export const multiplied = (flat: tf.Tensor1D, scale: number): tf.Tensor1D => (scale === 1 ? flat : tf.mul(flat, scale));

/** What an optimizer's step is made from: weights θ and their gradients g, of any shapes. */
export interface Updated {
  weights: readonly tf.Tensor[];
  gradients: readonly tf.Tensor[];
}

/** Tensors as a kernel's inputs: under a name and their number. */
export const listed = (name: string, tensors: readonly tf.Tensor[]): tf.NamedTensorMap =>
  Object.fromEntries(tensors.map((tensor, i) => [`${name}${i}`, tensor]));

/** The Euclidean norm of all numbers of some tensors: []. For optimizers; it has no gradient of its own. */
export function norm(tensors: readonly tf.Tensor[]): tf.Scalar {
  if (tf.getKernel(normKernel, tf.getBackend()) !== undefined) {
    return runKernel(normKernel, Object.fromEntries(tensors.entries()), {})[0] as tf.Scalar;
  }
  return tf.tidy(() => tf.sqrt(tf.sum(tf.square(join(tensors)))) as tf.Scalar);
}
