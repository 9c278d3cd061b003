import { evaluationBatches, type ImageDataset } from "@tfjs-zoo/datasets";
import { loadDataset } from "@tfjs-zoo/datasets/node";
import { InputError, type Vae } from "@tfjs-zoo/models";
import {
  type AutoencoderInfo,
  type AutoencoderMeasure,
  type ClassifierInfo,
  type Evaluation,
  evaluate,
  measureAutoencoder,
  type TestViews,
} from "@tfjs-zoo/training/node";
import type { Output } from "../context.ts";

/** Images a batch. */
const BATCH = 250;

/** What a classifier does on the whole test set of a data set, normalised as its own was. */
export function onTestSet(
  model: Parameters<typeof evaluate>[0],
  { inputShape, mean, std }: ClassifierInfo,
  { test }: ImageDataset,
  output: Output,
  views?: TestViews,
): Promise<Evaluation> {
  const batches = evaluationBatches({ set: test, mean, std, batchSize: BATCH });
  return evaluate(model, inputShape, batches, {
    views,
    onBatch: (done) => output.progress.update({ label: "testing", done, total: test.count, unit: "items" }),
  });
}

/** What an autoencoder says of the whole test set of a data set. @throws InputError where its images are of another size */
export async function onTestImages(
  vae: Vae,
  { inputShape, model }: AutoencoderInfo,
  name: string,
  output: Output,
): Promise<AutoencoderMeasure> {
  const size = name.startsWith("folder:") ? inputShape : undefined;
  const dataset = await loadDataset(name, { progress: output.progress.update, size });
  if (dataset.shape.join() !== inputShape.join()) {
    throw new InputError(
      `${model} here is for images of ${inputShape.join("x")}, and those of ${dataset.name} are ${dataset.shape.join("x")}: give the data set that it was trained on`,
    );
  }
  return measureAutoencoder(vae, dataset, (done, total) =>
    output.progress.update({ label: "testing", done, total, unit: "items" }),
  );
}
