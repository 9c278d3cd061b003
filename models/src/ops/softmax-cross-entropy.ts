import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export type SoftmaxCrossEntropyInputs = { logits: tf.Tensor; labels: tf.Tensor };
export interface SoftmaxCrossEntropyAttrs {
  /** the share of the target that is spread evenly over all classes (Szegedy et al. 2016, sec. 7) */
  labelSmoothing?: number;
}

/**
 * Cross-entropy of softmax probabilities against integer labels, mean over the N rows that have one. A row of padding
 * has the label −1 and does not count.
 *
 *   log p = z − log Σ_k exp z_k        q = (1 − s) onehot(label) + s / K        L = −(1 / N) Σ_n Σ_k q_nk log p_nk
 *
 * Backward:
 *
 *   ∂L/∂z = (p − q) / N, and 0 in rows that do not count
 *
 * @param logits z [batch, classes]  @param labels int32 [batch], each in [0, classes) or −1
 * @returns [] (nats), 0 where no row counts
 */
export const softmaxCrossEntropy: Op<SoftmaxCrossEntropyInputs, SoftmaxCrossEntropyAttrs> = differentiable(
  "SoftmaxCrossEntropy",
  {
    saved: ["logits", "labels", "logSum"],
    gradients: ["logits"],

    forward({ logits, labels }: SoftmaxCrossEntropyInputs, attrs: SoftmaxCrossEntropyAttrs) {
      const { counts, number } = counted(labels); // [batch, 1], []
      const largest = tf.max(logits, -1, true); // [batch, 1]
      const logSum = tf.add(tf.log(tf.sum(tf.exp(tf.sub(logits, largest)), -1, true)), largest); // [batch, 1]
      const logP = tf.sub(logits, logSum); // [batch, classes]
      const losses = tf.mul(tf.mul(targets(logits, labels, attrs), logP), counts); // [batch, classes]
      return { output: tf.neg(tf.div(tf.sum(losses), number)), saved: { logits, labels, logSum } };
    },

    backward(dy, { logits, labels, logSum }, attrs) {
      const { counts, number } = counted(labels); // [batch, 1], []
      const p = tf.exp(tf.sub(logits, logSum)); // [batch, classes]
      const residual = tf.sub(p, targets(logits, labels, attrs)); // [batch, classes]
      return { logits: tf.mul(residual, tf.mul(counts, tf.div(dy, number))) }; // [batch, classes]
    },
  },
);

/** Which rows have a label, as 1 and 0, and how many they are, or 1. */
function counted(labels: tf.Tensor): { counts: tf.Tensor; number: tf.Tensor } {
  const counts = tf.cast(tf.greaterEqual(labels, tf.scalar(0, "int32")), "float32"); // [batch]
  return { counts: tf.expandDims(counts, -1), number: tf.maximum(tf.sum(counts), 1) };
}

/** q [batch, classes] */
function targets({ shape }: tf.Tensor, labels: tf.Tensor, { labelSmoothing = 0 }: SoftmaxCrossEntropyAttrs): tf.Tensor {
  const [, classes] = shape;
  // As integers, then cast: the wasm backend's OneHot writes integer bits into a float32 result.
  const oneHot = tf.cast(tf.oneHot(labels as tf.Tensor1D, classes, 1, 0, "int32"), "float32");
  return labelSmoothing === 0 ? oneHot : tf.add(tf.mul(oneHot, 1 - labelSmoothing), labelSmoothing / classes);
}
