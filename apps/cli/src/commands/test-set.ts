import { evaluationBatches, type ImageDataset } from "@tfjs-zoo/datasets";
import { loadDataset } from "@tfjs-zoo/datasets/node";
import { InputError, type Vae } from "@tfjs-zoo/models";
import {
  type AutoencoderInfo,
  type AutoencoderMeasure,
  type BitsMeasure,
  type ClassifierInfo,
  type DiffusionInfo,
  type Evaluation,
  evaluate,
  measureAutoencoder,
  measureBits,
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
  info: AutoencoderInfo,
  name: string,
  output: Output,
): Promise<AutoencoderMeasure> {
  return measureAutoencoder(vae, await imagesLike(info, name, output), (done, total) =>
    output.progress.update({ label: "testing", done, total, unit: "items" }),
  );
}

/** Bits per dimension that a network of diffusion takes for test images. */
export function bitsOnTestImages(
  model: Parameters<typeof measureBits>[0],
  info: DiffusionInfo,
  dataset: ImageDataset,
  output: Output,
): Promise<BitsMeasure> {
  return measureBits(model, info, dataset, (done, total) =>
    output.progress.update({ label: "bits per dimension", done, total, unit: "items" }),
  );
}

export const bitsLine = ({ bits, error, images, times }: BitsMeasure): string =>
  `${bits.toFixed(3)} ± ${error.toFixed(3)} bits per dimension at most, by the variational bound on ${images} test images (${times} times of each)`;

/**
 * Test images of the data set that an autoencoder was trained on: [count, height, width, channels], 0 to 1.
 *
 * @throws InputError where there are fewer
 */
export async function testPictures(
  info: Pick<AutoencoderInfo, "dataset" | "inputShape" | "model">,
  count: number,
  output: Output,
): Promise<Float32Array> {
  const { test } = await imagesLike(info, info.dataset, output);
  if (test.count < count) {
    throw new InputError(
      `${info.dataset} has ${test.count} test images, and ${count} are asked for: give a smaller --grid`,
    );
  }
  const [height, width, channels] = test.shape;
  const pixels = new Uint8Array(count * height * width * channels);
  await test.read(
    Array.from({ length: count }, (_, i) => i),
    pixels,
  );
  return Float32Array.from(pixels, (pixel) => pixel / 255);
}

/** @throws InputError where the images of a data set are not of a network's size */
export async function imagesLike(
  { inputShape, model }: Pick<AutoencoderInfo, "inputShape" | "model">,
  name: string,
  output: Output,
): Promise<ImageDataset> {
  const size = name.startsWith("folder:") ? inputShape : undefined;
  const dataset = await loadDataset(name, { progress: output.progress.update, size, unlabelled: true });
  if (dataset.shape.join() === inputShape.join()) return dataset;
  throw new InputError(
    `${model} here is for images of ${inputShape.join("x")}, and those of ${dataset.name} are ${dataset.shape.join("x")}: give the data set that it was trained on`,
  );
}
