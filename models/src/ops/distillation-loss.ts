import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export type DistillationLossInputs = { logits: tf.Tensor; teacher: tf.Tensor };
export interface DistillationLossAttrs {
  /** T, by which logits are divided: above 1, what a teacher thinks of the wrong classes counts for more */
  temperature?: number;
}

/**
 * How far a network's probabilities are from a teacher's (Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a
 * neural network", eq. 1 and sec. 2), mean over the batch. T² keeps the gradient's size the same for every T.
 *
 *   q = softmax(z / T)        p = softmax(v / T)        L = (T² / N) Σ_n Σ_k p_nk (log p_nk − log q_nk)
 *
 * Backward (eq. 2); the teacher has no gradient:
 *
 *   ∂L/∂z = T (q − p) / N
 *
 * @param logits z [batch, classes]  @param teacher v, the teacher's logits [batch, classes]
 * @returns [] (T² nats)
 */
export const distillationLoss: Op<DistillationLossInputs, DistillationLossAttrs> = differentiable("DistillationLoss", {
  saved: ["residual"],
  gradients: ["logits"],

  forward({ logits, teacher }: DistillationLossInputs, { temperature = 1 }: DistillationLossAttrs) {
    const [batch] = logits.shape;
    const logQ = logSoftmax(tf.div(logits, temperature)); // [batch, classes]
    const logP = logSoftmax(tf.div(teacher, temperature)); // [batch, classes]
    const p = tf.exp(logP); // [batch, classes]
    const divergence = tf.div(tf.sum(tf.mul(p, tf.sub(logP, logQ))), batch); // []
    return { output: tf.mul(divergence, temperature ** 2), saved: { residual: tf.sub(tf.exp(logQ), p) } };
  },

  backward(dy, { residual }, { temperature = 1 }) {
    return { logits: tf.mul(residual, tf.mul(dy, temperature / residual.shape[0])) }; // [batch, classes]
  },
});

function logSoftmax(x: tf.Tensor): tf.Tensor {
  const shifted = tf.sub(x, tf.max(x, -1, true)); // [batch, classes]
  return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true))); // [batch, classes]
}
