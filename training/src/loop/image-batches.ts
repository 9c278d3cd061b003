import { type Batch, batchCount, epochBatches, type ImageDataset, type ImageSet, prefetch } from "@tfjs-zoo/datasets";
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

/** Shuffled batches of a set of images, pixels from 0 to 1. */
export function plainBatches(set: ImageSet, batchSize: number, seed: number): BatchSource<Batch> {
  const channels = set.shape[2];
  const [mean, std] = [new Array<number>(channels).fill(0), new Array<number>(channels).fill(1)];
  const random = (...path: (string | number)[]) => randomStream(seed, ...path);
  return {
    batchesPerEpoch: batchCount(set.count, batchSize, true),
    epoch: (epoch, start) =>
      prefetch(epochBatches({ set, mean, std, batchSize, random, epoch, dropLast: true, start }), AHEAD),
  };
}
