import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { LabelledTextBatch } from "@tfjs-zoo/datasets";
import { ops, seedDropout } from "@tfjs-zoo/models";
import { events } from "../loop/events.ts";
import type { Task } from "./task.ts";

/** ids and token types [size, tokens], lengths [size]; labels [size] */
type Inputs = { given: tf.Tensor[]; labels: tf.Tensor1D };

/** Texts into classes, by softmax cross-entropy: BERT with a layer for the classes (Devlin et al. 2019, sec. 4.1). */
export function textClassification(
  model: tfl.LayersModel,
  { labelSmoothing = 0 }: { labelSmoothing?: number } = {},
): Task<LabelledTextBatch, Inputs> {
  return {
    weights: model.weights,
    size: ({ size }) => size,
    upload: (batch) => ({ given: textInputs(batch), labels: tf.tensor1d(batch.labels, "int32") }),
    seed: (seed, step) => seedDropout(model, seed, step),
    updates: [
      {
        name: "text classifier",
        variables: model.trainableWeights,
        loss({ given, labels }) {
          const logits = model.apply(given, { training: true }) as tf.Tensor2D; // [size, classes]
          const loss = ops.softmaxCrossEntropy({ logits, labels }, { labelSmoothing }) as tf.Scalar;
          const correct = tf.tidy(() => tf.sum<tf.Scalar>(tf.cast(tf.equal(tf.argMax(logits, -1), labels), "float32")));
          return { loss, metrics: { correct } };
        },
      },
    ],
  };
}

/** What a classifier does on labelled texts. */
export interface TextClassEvaluation {
  /** share of texts whose label has the largest logit, 0 to 1 */
  accuracy: number;
  /** mean cross-entropy, nats */
  loss: number;
  texts: number;
  /** how often each class was taken for each: [true][predicted] */
  confusion: number[][];
}

/** Measures a classifier in inference mode; sums are in double precision. */
export async function evaluateTexts(
  model: tfl.LayersModel,
  batches: AsyncIterable<LabelledTextBatch>,
  onBatch: (texts: number) => void = () => {},
): Promise<TextClassEvaluation> {
  const classes = model.outputs[0].shape[1] as number;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let [loss, right, texts] = [0, 0, 0];
  for await (const batch of batches) {
    const logits = tf.tidy(() => model.apply(textInputs(batch), { training: false }) as tf.Tensor2D); // [size, classes]
    const values = (await logits.data()) as Float32Array; // [size · classes]
    logits.dispose();
    for (const [i, label] of batch.labels.entries()) {
      const row = values.subarray(i * classes, (i + 1) * classes);
      const largest = row.reduce((a, b) => Math.max(a, b));
      const sum = row.reduce((total, z) => total + Math.exp(z - largest), 0);
      const said = row.indexOf(largest);
      loss += Math.log(sum) + largest - row[label];
      right += said === label ? 1 : 0;
      confusion[label][Math.max(0, said)]++;
    }
    texts += batch.size;
    onBatch(texts);
    await events();
  }
  return { accuracy: right / texts, loss: loss / texts, texts, confusion };
}

/** A batch as BERT takes it: a text has one part. */
export function textInputs({ ids, lengths, size }: Pick<LabelledTextBatch, "ids" | "lengths" | "size">): tf.Tensor[] {
  const shape: [number, number] = [size, ids.length / size];
  return [tf.tensor2d(ids, shape, "int32"), tf.zeros(shape, "int32"), tf.tensor1d(lengths, "int32")];
}
