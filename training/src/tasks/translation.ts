import * as tf from "@tensorflow/tfjs-core";
import type { PairBatch } from "@tfjs-zoo/datasets";
import { ops, seedDropout, type Translator } from "@tfjs-zoo/models";
import { events } from "../loop/events.ts";
import type { Task } from "./task.ts";

/** source [size, s], lengths [size], what was written so far [size, t], and what comes after each, −1 in padding [size · t]. */
type Inputs = { source: tf.Tensor2D; lengths: tf.Tensor1D; target: tf.Tensor2D; next: tf.Tensor1D };

/** A sentence into its translation, by softmax cross-entropy at every token of the target, which is given so far. */
export function translation(
  { train }: Translator,
  { labelSmoothing = 0 }: { labelSmoothing?: number } = {},
): Task<PairBatch, Inputs> {
  return {
    weights: train.weights,
    size: predicted,
    upload: inputsOf,
    seed: (seed, step) => seedDropout(train, seed, step),
    updates: [
      {
        name: "translator",
        variables: train.trainableWeights,
        loss: (inputs) => ({ loss: lossOf(train, inputs, { training: true, labelSmoothing }), metrics: {} }),
      },
    ],
  };
}

/** Tokens of a batch that are predicted: all of the targets but their first. */
export const predicted = ({ targetLengths, size }: PairBatch): number =>
  targetLengths.reduce((sum, length) => sum + length, 0) - size;

/** The mean cross-entropy of a target's token, nats, in inference mode. */
export async function translationLoss(
  { train }: Translator,
  batches: AsyncIterable<PairBatch>,
): Promise<{ loss: number; tokens: number }> {
  let [sum, tokens] = [0, 0];
  for await (const batch of batches) {
    const loss = tf.tidy(() => lossOf(train, inputsOf(batch), { training: false, labelSmoothing: 0 }));
    const count = predicted(batch);
    sum += (await loss.data())[0] * count;
    tokens += count;
    loss.dispose();
    await events();
  }
  return { loss: sum / tokens, tokens };
}

/** The source of a batch as a network reads it. */
export function sourceOf({ source, sourceLengths, size }: PairBatch): { source: tf.Tensor2D; lengths: tf.Tensor1D } {
  return {
    source: tf.tensor2d(source, [size, source.length / size], "int32"),
    lengths: tf.tensor1d(sourceLengths, "int32"),
  };
}

function inputsOf(batch: PairBatch): Inputs {
  const { target: ids, targetLengths, size } = batch;
  const length = ids.length / size;
  const time = length - 1;
  const [given, next] = [new Int32Array(size * time), new Int32Array(size * time).fill(-1)];
  for (let row = 0; row < size; row++) {
    given.set(ids.subarray(row * length, row * length + time), row * time);
    next.set(ids.subarray(row * length + 1, row * length + targetLengths[row]), row * time);
  }
  return {
    ...sourceOf(batch),
    target: tf.tensor2d(given, [size, time], "int32"),
    next: tf.tensor1d(next, "int32"),
  };
}

function lossOf(
  train: Translator["train"],
  { source, lengths, target, next }: Inputs,
  { training, labelSmoothing }: { training: boolean; labelSmoothing: number },
): tf.Scalar {
  const logits = train.apply([source, lengths, target], { training }) as tf.Tensor3D; // [size, t, vocabulary]
  const rows = tf.reshape(logits, [-1, logits.shape[2]]); // [size · t, vocabulary]
  return ops.softmaxCrossEntropy({ logits: rows, labels: next }, { labelSmoothing }) as tf.Scalar;
}
