import * as tf from "@tensorflow/tfjs-core";
import type { MaskedBatch } from "@tfjs-zoo/datasets";
import { type Bert, ops, seedDropout } from "@tfjs-zoo/models";
import { events } from "../loop/events.ts";
import type { Task } from "./task.ts";

/** What `pretrain` takes, and labels: words [size · hidden], −1 in padding, next [size]. */
type Inputs = { given: tf.Tensor[]; words: tf.Tensor1D; next: tf.Tensor1D };

/**
 * BERT's two tasks (Devlin et al. 2019, sec. 3.1 and A.2): hidden words from those around them, and whether one sentence
 * followed another. The loss is the sum of both means; an item is a token that is read.
 */
export function maskedLanguage({ pretrain }: Pick<Bert, "pretrain">): Task<MaskedBatch, Inputs> {
  return {
    weights: pretrain.weights,
    size: ({ lengths }) => lengths.reduce((sum, length) => sum + length, 0),
    upload: inputsOf,
    seed: (seed, step) => seedDropout(pretrain, seed, step),
    updates: [
      {
        name: "BERT",
        variables: pretrain.trainableWeights,
        loss(inputs) {
          const { words, next } = lossesOf(outputsOf(pretrain, inputs, true), inputs);
          return { loss: tf.add(words, next), means: { words, next } };
        },
      },
    ],
  };
}

/** What a BERT does at one of its tasks. */
export interface Answers {
  /** mean cross-entropy, nats */
  loss: number;
  /** share of right answers, 0 to 1 */
  accuracy: number;
  /** questions */
  count: number;
}

/** Measures a BERT in inference mode. */
export async function evaluateMasked(
  { pretrain }: Pick<Bert, "pretrain">,
  batches: AsyncIterable<MaskedBatch>,
  onBatch: (texts: number) => void = () => {},
): Promise<{ words: Answers; next: Answers }> {
  const words: Answers = { loss: 0, accuracy: 0, count: 0 };
  const next: Answers = { loss: 0, accuracy: 0, count: 0 };
  for await (const batch of batches) {
    const measured = tf.tidy(() => {
      const inputs = inputsOf(batch);
      const outputs = outputsOf(pretrain, inputs, false);
      const losses = lossesOf(outputs, inputs);
      const [words, next] = [hits(outputs.words, inputs.words), hits(outputs.next, inputs.next)];
      return tf.stack([losses.words, words, losses.next, next]); // [4]
    });
    const [wordLoss, wordsRight, nextLoss, nextRight] = await measured.data();
    measured.dispose();
    add(words, wordLoss, wordsRight, batch.words.filter((word) => word >= 0).length);
    add(next, nextLoss, nextRight, batch.size);
    onBatch(next.count);
    await events();
  }
  return { words: meanOf(words), next: meanOf(next) };
}

/** Adds a batch's mean loss and right answers to sums. */
function add(sum: Answers, loss: number, right: number, count: number): void {
  sum.loss += loss * count;
  sum.accuracy += right;
  sum.count += count;
}

const meanOf = ({ loss, accuracy, count }: Answers): Answers => ({
  loss: loss / count,
  accuracy: accuracy / count,
  count,
});

function inputsOf({ ids, types, lengths, places, words, next, size }: MaskedBatch): Inputs {
  const rows = (values: Int32Array) => tf.tensor2d(values, [size, values.length / size], "int32");
  return {
    given: [rows(ids), rows(types), tf.tensor1d(lengths, "int32"), rows(places)],
    words: tf.tensor1d(words, "int32"),
    next: tf.tensor1d(next, "int32"),
  };
}

/** words [size · hidden, vocabulary], next [size, 2] */
type Outputs = { words: tf.Tensor2D; next: tf.Tensor2D };

function outputsOf(pretrain: Bert["pretrain"], { given }: Inputs, training: boolean): Outputs {
  const [words, next] = pretrain.apply(given, { training }) as [tf.Tensor3D, tf.Tensor2D];
  return { words: tf.reshape(words, [-1, words.shape[2]]), next };
}

function lossesOf(outputs: Outputs, { words, next }: Inputs): { words: tf.Scalar; next: tf.Scalar } {
  const loss = (logits: tf.Tensor2D, labels: tf.Tensor1D) => ops.softmaxCrossEntropy({ logits, labels }) as tf.Scalar;
  return { words: loss(outputs.words, words), next: loss(outputs.next, next) };
}

/** How many rows have their label's logit as the largest: []. A label of −1 is none's. */
const hits = (logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar =>
  tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), "float32"));
