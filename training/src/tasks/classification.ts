import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Batch } from "@tfjs-zoo/datasets";
import { ops, seedDropout, splitFrozen } from "@tfjs-zoo/models";
import { events } from "../loop/events.ts";
import type { Task } from "./task.ts";
import { averagedLogits, type TestViews } from "./test-views.ts";

/** `others` are the second labels of mixed images, and `share` what the first count for: []. */
type Inputs = {
  images: tf.Tensor4D;
  /** what comes out of the network's first layers, where these are frozen */
  features?: tf.Tensor[];
  labels: tf.Tensor1D;
  others?: tf.Tensor1D;
  share?: tf.Scalar;
  /** the teacher's logits: [batch, classes] */
  taught?: tf.Tensor2D;
};

/** A network that another learns from (Hinton, Vinyals & Dean 2015). */
export interface Teacher {
  /** [batch, height, width, channels], normalised as the other's -> [batch, classes], in the same order of classes */
  logits(images: tf.Tensor4D): tf.Tensor2D;
  /** T, which softens the probabilities of both */
  temperature: number;
  /** α, what the teacher counts for beside the labels, 0 to 1 */
  weight: number;
}

/** Images into classes, by softmax cross-entropy; with a teacher, (1 − α) of that and α of the distance from it. */
export function classification(
  model: tfl.LayersModel,
  shape: readonly [number, number, number],
  { labelSmoothing = 0, teacher }: { labelSmoothing?: number; teacher?: Teacher } = {},
): Task<Batch, Inputs> {
  // Frozen layers run with the upload, where no gradient is taken.
  const split = splitFrozen(model);
  return {
    weights: model.weights,
    frozen: model.layers.filter(({ trainable }) => !trainable).flatMap(({ weights }) => weights),
    size: (batch) => batch.size,

    upload({ images: pixels, labels, size, mixed }) {
      const images = tf.tensor4d(pixels, [size, ...shape]); // [batch, height, width, channels]
      return {
        images,
        ...(split && { features: split.below(images) }),
        labels: tf.tensor1d(labels, "int32"), // [batch]
        ...(mixed && { others: tf.tensor1d(mixed.labels, "int32"), share: tf.scalar(mixed.share) }),
        ...(teacher && { taught: teacher.logits(images) }),
      };
    },

    seed: (seed, step) => seedDropout(model, seed, step),

    updates: [
      {
        name: "classifier",
        variables: model.trainableWeights,
        loss({ images, features, labels, others, share, taught }) {
          const output = split && features ? split.above(features) : model.apply(images, { training: true });
          const logits = output as tf.Tensor2D; // [batch, classes]
          const lossFor = (target: tf.Tensor1D) =>
            ops.softmaxCrossEntropy({ logits, labels: target }, { labelSmoothing }) as tf.Scalar; // []
          const ofLabels: tf.Scalar =
            others && share
              ? tf.add(tf.mul(lossFor(labels), share), tf.mul(lossFor(others), tf.sub(1, share)))
              : lossFor(labels);
          const loss = teacher && taught ? withTeacher(ofLabels, logits, taught, teacher) : ofLabels;
          return { loss, metrics: { correct: correct(logits, labels) } };
        },
      },
    ],
  };
}

/** (1 − α) L + α L', L' the distance from the teacher: [] */
function withTeacher(
  loss: tf.Scalar,
  logits: tf.Tensor2D,
  taught: tf.Tensor2D,
  { temperature, weight }: Teacher,
): tf.Scalar {
  const distance = ops.distillationLoss({ logits, teacher: taught }, { temperature });
  return tf.add(tf.mul(loss, 1 - weight), tf.mul(distance, weight));
}

/** How many of a batch's labels have the largest logit: []. */
function correct(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  return tf.tidy(() => tf.sum(tf.cast(tf.equal(tf.argMax(logits, -1), labels), "float32")));
}

/** What a classifier does on a whole set. */
export interface Evaluation {
  /** share of images whose label has the largest logit, 0 to 1 */
  accuracy: number;
  /** share of images whose label is among the five largest logits, 0 to 1 */
  top5: number;
  /** mean cross-entropy without smoothing, nats */
  loss: number;
  images: number;
  /** [images][classes] flattened, softmax probabilities */
  probabilities: Float32Array;
  /** [images] */
  labels: Int32Array;
}

/**
 * Runs a classifier in inference mode over batches; sums are in double precision, so that the batch size does not
 * matter to the last digit.
 */
export async function evaluate(
  model: tfl.LayersModel,
  shape: readonly [number, number, number],
  batches: AsyncIterable<Batch>,
  { views = "plain", onBatch = () => {} }: { views?: TestViews; onBatch?: (images: number) => void } = {},
): Promise<Evaluation> {
  const network = (images: tf.Tensor4D) => model.apply(images, { training: false }) as tf.Tensor2D;
  const chunks: Float32Array[] = [];
  const allLabels: number[] = [];
  let [images, top1, top5, loss] = [0, 0, 0, 0];
  for await (const { images: pixels, labels, size } of batches) {
    const logits = tf.tidy(() => averagedLogits(network, tf.tensor4d(pixels, [size, ...shape]), views)); // [size, classes]
    const values = (await logits.data()) as Float32Array; // [size · classes]
    logits.dispose();
    const classes = values.length / size;
    const probabilities = new Float32Array(values.length);
    for (let n = 0; n < size; n++) {
      const row = values.subarray(n * classes, (n + 1) * classes);
      const highest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const sum = row.reduce((total, z) => total + Math.exp(z - highest), 0);
      for (let k = 0; k < classes; k++) probabilities[n * classes + k] = Math.exp(row[k] - highest) / sum;
      const own = row[labels[n]];
      const above = row.reduce((count, z, k) => count + (z > own || (z === own && k < labels[n]) ? 1 : 0), 0);
      if (above === 0) top1++;
      if (above < 5) top5++;
      loss += Math.log(sum) + highest - own;
    }
    chunks.push(probabilities);
    allLabels.push(...labels);
    images += size;
    onBatch(images);
    await events();
  }
  const probabilities = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    probabilities.set(chunk, offset);
    offset += chunk.length;
  }
  return {
    accuracy: top1 / images,
    top5: top5 / images,
    loss: loss / images,
    images,
    probabilities,
    labels: Int32Array.from(allLabels),
  };
}

/** The class of the largest probability, for every image. */
export function predictions({ probabilities, images }: Evaluation, classes: number): number[] {
  return Array.from({ length: images }, (_, i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
  });
}

/** How often each class was taken for each: [true][predicted]. */
export function confusionMatrix(evaluation: Evaluation, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [i, said] of predictions(evaluation, classes).entries()) matrix[evaluation.labels[i]][said]++;
  return matrix;
}
