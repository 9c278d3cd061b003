import * as tf from "@tensorflow/tfjs-core";
import type { PairBatch } from "@tfjs-zoo/datasets";
import { ops, type Random, randomStream, seedDropout, type Translator } from "@tfjs-zoo/models";
import { events } from "../loop/events.ts";
import type { Task } from "./task.ts";

/** source [size, s], lengths [size], what was written so far [size, t], and what comes after each, −1 in padding [size · t]. */
type Inputs = { source: tf.Tensor2D; lengths: tf.Tensor1D; target: tf.Tensor2D; next: tf.Tensor1D };

export interface TranslationOptions {
  labelSmoothing?: number;
  /** how often a token of the target so far is not the true one but what the network says itself */
  scheduledSampling?: number;
}

/**
 * A sentence into its translation, by softmax cross-entropy at every token of the target, which is given so far (teacher
 * forcing). With scheduled sampling (Bengio et al. 2015) some of what is given is the network's own: as it says it when
 * the true target is given, so that all steps still run at once (Mihaylova & Martins 2019, "Scheduled sampling for
 * transformers", sec. 3).
 */
export function translation(
  { train }: Translator,
  { labelSmoothing = 0, scheduledSampling = 0 }: TranslationOptions = {},
): Task<PairBatch, Inputs> {
  let draws = { seed: 0, step: 0 };
  return {
    weights: train.weights,
    size: predicted,
    upload(batch) {
      const inputs = inputsOf(batch);
      if (scheduledSampling === 0) return inputs;
      const random = randomStream(draws.seed, "scheduled sampling", draws.step);
      const target = partlyOwn(train, inputs, scheduledSampling, random);
      inputs.target.dispose();
      return { ...inputs, target };
    },
    seed(seed, step) {
      draws = { seed, step };
      seedDropout(train, seed, step);
    },
    updates: [
      {
        name: "translator",
        variables: train.trainableWeights,
        loss: (inputs) => ({ loss: lossOf(train, inputs, { training: true, labelSmoothing }) }),
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

/** The target so far, some of its tokens replaced by those that the network finds likeliest. */
function partlyOwn(
  train: Translator["train"],
  { source, lengths, target }: Inputs,
  rate: number,
  random: Random,
): tf.Tensor2D {
  return tf.tidy(() => {
    const [size, time] = target.shape;
    const logits = train.apply([source, lengths, target], { training: false }) as tf.Tensor3D; // [size, t, vocabulary]
    const said = tf.cast(tf.argMax(logits, -1), "int32") as tf.Tensor2D; // [size, t]: what comes after each
    const [first, later] = [tf.slice(target, [0, 0], [size, 1]), tf.slice(target, [0, 1], [size, time - 1])];
    const own = Uint8Array.from({ length: size * (time - 1) }, () => Number(random.uniform() < rate));
    const mixed = tf.where(tf.tensor2d(own, [size, time - 1], "bool"), tf.slice(said, [0, 0], [size, time - 1]), later);
    return tf.concat([first, mixed], 1); // [size, t]
  });
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
