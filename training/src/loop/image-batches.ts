import {
  type Batch,
  batchCount,
  epochBatches,
  evaluationBatches,
  type ImageDataset,
  type ImageSet,
  prefetch,
} from "@tfjs-zoo/datasets";
import { randomStream } from "@tfjs-zoo/models";
import type { Recipe } from "../recipes/recipe.ts";
import type { BatchSource } from "./fit.ts";

/** Batches that are prepared while a step runs. */
const AHEAD = 2;

/** Shuffled, augmented batches of a set of images as a recipe has them; every draw follows from the seed. */
export function imageBatches(
  set: ImageSet,
  { mean, std }: ImageDataset,
  recipe: Recipe,
  seed: number,
): BatchSource<Batch> {
  const randAugment = { operations: recipe.randAugment, magnitude: recipe.randAugmentMagnitude };
  const { batchSize, pad, border, flip, alternateFlip, cutout, mixup, cutmix } = recipe;
  return {
    batchesPerEpoch: batchCount(set.count, batchSize, true),
    epoch: (epoch, start) =>
      prefetch(
        epochBatches({
          set,
          mean,
          std,
          batchSize,
          mixing: { mixup, cutmix },
          augmentation: { pad, border, flip, alternateFlip, cutout, randAugment },
          random: (...path) => randomStream(seed, ...path),
          epoch,
          dropLast: true,
          start,
        }),
        AHEAD,
      ),
  };
}

/** What the pixels of a network that makes images lie between. */
export type PixelRange = "0 to 1" | "-1 to 1";

/** The mean and deviation, per channel, by which pixels come to lie in a range. */
function scale(range: PixelRange, channels: number) {
  const value = range === "0 to 1" ? { mean: 0, std: 1 } : { mean: 0.5, std: 0.5 };
  return { mean: new Array<number>(channels).fill(value.mean), std: new Array<number>(channels).fill(value.std) };
}

/** Shuffled batches of a set of images, and nothing else done to them unless half are mirrored. */
export function plainBatches(
  set: ImageSet,
  { batchSize, seed, range, flip = false }: { batchSize: number; seed: number; range: PixelRange; flip?: boolean },
): BatchSource<Batch> {
  const options = { set, ...scale(range, set.shape[2]), batchSize, dropLast: true, augmentation: { flip } };
  const random = (...path: (string | number)[]) => randomStream(seed, ...path);
  return {
    batchesPerEpoch: batchCount(set.count, batchSize, true),
    epoch: (epoch, start) => prefetch(epochBatches({ ...options, random, epoch, start }), AHEAD),
  };
}

/** All images of a set in order. */
export const plainImages = (set: ImageSet, batchSize: number, range: PixelRange): AsyncGenerator<Batch> =>
  evaluationBatches({ set, ...scale(range, set.shape[2]), batchSize });
