import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";

/**
 * The classes whose scores are looked at, one for each image: the one that was asked for, else what the network says.
 *
 * @param logits [batch, classes]
 * @throws InputError for a class that there isn't
 */
export function explainedClasses(logits: tf.Tensor2D, classIndex?: number): number[] {
  const [batch, classes] = logits.shape;
  if (classIndex === undefined) return Array.from(tf.tidy(() => tf.argMax(logits, 1).dataSync()));
  if (Number.isInteger(classIndex) && classIndex >= 0 && classIndex < classes) return new Array(batch).fill(classIndex);
  throw new InputError(`there is no class ${classIndex}: the network tells ${classes} apart, 0 to ${classes - 1}`);
}

/**
 * Σ over the batch of y_c, the score of class c before the softmax. In inference no image touches another's score, so
 * that its gradient is that of each image's own.
 *
 * @param logits [batch, classes]  @param classIndex c of each image
 */
export function sumOfScores(logits: tf.Tensor2D, classIndex: readonly number[]): tf.Scalar {
  const chosen = tf.oneHot(tf.tensor1d([...classIndex], "int32"), logits.shape[1]); // [batch, classes]
  return tf.sum(tf.mul(logits, chosen));
}
