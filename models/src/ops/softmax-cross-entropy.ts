import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export type SoftmaxCrossEntropyInputs = { logits: tf.Tensor; labels: tf.Tensor };
export interface SoftmaxCrossEntropyAttrs {
  /** the share of the target that is spread evenly over all classes (Szegedy et al. 2016, sec. 7) */
  labelSmoothing?: number;
}

/**
 * Cross-entropy of softmax probabilities against integer labels, mean over the batch.
 *
 *   log p = z − log Σ_k exp z_k        q = (1 − s) onehot(label) + s / K        L = −(1 / N) Σ_n Σ_k q_nk log p_nk
 *
 * Backward:
 *
 *   ∂L/∂z = (p − q) / N
 *
 * @param logits z [batch, classes]  @param labels int32 [batch], each in [0, classes)
 * @returns [] (nats)
 */
export const softmaxCrossEntropy: Op<SoftmaxCrossEntropyInputs, SoftmaxCrossEntropyAttrs> = differentiable(
  "SoftmaxCrossEntropy",
  {
    saved: ["residual"],
    gradients: ["logits"],

    forward({ logits, labels }: SoftmaxCrossEntropyInputs, { labelSmoothing = 0 }: SoftmaxCrossEntropyAttrs) {
      const [batch, classes] = logits.shape;
      // As integers, then cast: the wasm backend's OneHot writes integer bits into a float32 result.
      const oneHot = tf.cast(tf.oneHot(labels as tf.Tensor1D, classes, 1, 0, "int32"), "float32"); // [batch, classes]
      const q = labelSmoothing === 0 ? oneHot : smoothed(oneHot, labelSmoothing, classes); // [batch, classes]
      const shifted = tf.sub(logits, tf.max(logits, -1, true)); // [batch, classes]
      const exps = tf.exp(shifted); // [batch, classes]
      const sums = tf.sum(exps, -1, true); // [batch, 1]
      const logP = tf.sub(shifted, tf.log(sums)); // [batch, classes]
      const residual = tf.sub(tf.div(exps, sums), q); // [batch, classes]
      return { output: tf.div(tf.sum(tf.mul(q, logP)), -batch), saved: { residual } };
    },

    backward(dy, { residual }) {
      return { logits: tf.mul(residual, tf.div(dy, residual.shape[0])) }; // [batch, classes]
    },
  },
);

/** (1 − s) onehot + s / K */
function smoothed(oneHot: tf.Tensor, labelSmoothing: number, classes: number): tf.Tensor {
  return tf.add(tf.mul(oneHot, 1 - labelSmoothing), labelSmoothing / classes);
}
