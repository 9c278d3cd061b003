import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Batch } from "@tfjs-zoo/datasets";
import { createModel, findClassifier, findModel, foldBatchNorm, InputError } from "@tfjs-zoo/models";
import { Trainer, type Within } from "../loop/trainer.ts";
import { sgd, weightsAndBiases } from "../optim/index.ts";
import { classification } from "../tasks/classification.ts";
import { noise } from "./noise.ts";
import { otherWorkload, type Workload } from "./other-workload.ts";

export type { Workload };

/** Every contestant's optimizer. The rate costs nothing and is low enough for noise to be learned without overflow. */
export const learningRate = 0.01;
export const momentum = 0.9;
export const weightDecay = 1e-4;

/** Images a step when nobody says: as in training on TensorFlow, fewer where a step would take seconds. */
export function defaultBatch(backend: string): number {
  return backend === "tensorflow" ? 128 : 32;
}

/** A batch of noise in a model's shape, the same at every call; labels count through the classes. */
export function noiseBatch(name: string, size: number): Batch {
  const { inputShape, classes } = findClassifier(name);
  return noise(inputShape, classes, size);
}

/** What a model's items are. */
export const unitOf = (model: string): "images" | "tokens" => ("inputShape" in findModel(model) ? "images" : "tokens");

export const precisionNames = ["f32", "bf16"] as const;

/**
 * What steps of a precision run in.
 *
 * @param inBf16 what the started backend has for bf16
 * @throws InputError where it has nothing
 */
export function withinPrecision(precision: string, backend: string, inBf16: Within | undefined): Within | undefined {
  if (precision !== "bf16") return undefined;
  if (inBf16 === undefined) {
    throw new InputError(
      `--precision bf16 needs tensorflow and a processor that multiplies bf16 (AMX or AVX-512 BF16), and ${backend} here can not: give f32`,
    );
  }
  return inBf16;
}

/** Our own training of a model on a batch of noise, with the trainer that `zoo train` uses, on the current backend. */
export function ourWorkload(name: string, size: number, within?: Within): Workload {
  const entry = findModel(name);
  if (entry.task !== "classification") return otherWorkload(entry, size, within);
  const step = preparedStep(name, within);
  const batch = noiseBatch(name, size);
  return { params: entry.params, items: size, step: () => step(batch) };
}

/** The same on batches that are given. */
export function preparedStep(name: string, within?: Within): (batch: Batch) => Promise<number> {
  return stepOf(createModel(name, { seed: 0 }), findClassifier(name).inputShape, within);
}

/** The same for a network that is given. */
export function stepOf(
  model: tfl.LayersModel,
  shape: readonly [number, number, number],
  within?: Within,
): (batch: Batch) => Promise<number> {
  const trainer = new Trainer(classification(model, shape), {
    groups: weightsAndBiases(sgd({ momentum }), { weightDecay }),
    within,
    seed: 0,
  });
  return async (batch) => (await trainer.takeStep([batch], learningRate)).loss;
}

/** Our network's outputs for a batch of noise, read back: the first of them. */
export function inferenceStep(
  name: string,
  size: number,
  { folded, within = (body) => body() }: { folded: boolean; within?: Within },
): () => Promise<number> {
  const trained = createModel(name, { seed: 0 });
  const model = folded ? foldBatchNorm(trained) : trained;
  const { images } = noiseBatch(name, size);
  return async () => {
    const logits = within(() =>
      tf.tidy(
        () =>
          model.apply(tf.tensor(images, [size, ...findClassifier(name).inputShape]), { training: false }) as tf.Tensor,
      ),
    );
    const [first] = await logits.data();
    logits.dispose();
    return first;
  };
}
