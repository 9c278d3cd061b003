import type * as tfl from "@tensorflow/tfjs-layers";
import type { ImageDataset, ImageSet } from "@tfjs-zoo/datasets";
import { findDenoiser, noiseSchedule } from "@tfjs-zoo/models";
import { plainImages } from "../loop/image-batches.ts";
import { adamGroups, adamSchedule } from "../recipes/adam-recipe.ts";
import type { DiffusionRecipe } from "../recipes/diffusion-recipe.ts";
import { diffusion, evaluateDiffusion } from "../tasks/diffusion.ts";
import type { DiffusionInfo } from "../tasks/diffusion-weights.ts";
import { saveDiffusion } from "./diffusion-file.ts";
import type { RunResult } from "./run-result.ts";
import { EVALUATION_BATCH, type ImageMakerTraining, trainImageMaker } from "./train-image-maker.ts";

/** of pixels */
const RANGE = "-1 to 1";

/** Held-out images by which epochs are compared, and test images by which a finished network is measured. */
const HELD_OUT = 1000;
export const MEASURED = 2000;

/** What a training of a network of diffusion came to: the content of its result.json. */
export interface DiffusionResult extends RunResult, DiffusionMeasure {}

export interface DiffusionMeasure {
  /** mean squared error of the prediction on test images, all times alike */
  loss: number;
  testImages: number;
}

/**
 * Trains a network of diffusion in a run folder, as `trainImageMaker` does.
 *
 * @returns the result; undefined when interrupted
 */
export async function trainDiffusion(training: ImageMakerTraining): Promise<DiffusionResult | undefined> {
  const { run, dataset, onTest } = training;
  const { model: name, seed } = run.config;
  const recipe = run.config.recipe as unknown as DiffusionRecipe;
  const { shape, classes } = dataset;
  const { noise, times, prediction, minSnr, dropClass, dropout } = recipe;
  const told = run.config.conditional ? classes : undefined;
  const info: DiffusionInfo = {
    ...{ model: name, dataset: dataset.name, inputShape: shape, noise, times, prediction },
    ...(told && { classes: told }),
  };
  const schedule = noiseSchedule(noise, times);
  const result = await trainImageMaker(training, {
    range: RANGE,
    heldOut: (images) => Math.min(HELD_OUT, Math.ceil(images / 10)),
    make({ heldOut }) {
      const model = findDenoiser(name).build({ inputShape: shape, classes: told?.length, dropout, seed });
      return {
        task: diffusion(model, shape, { schedule, prediction, dropClass, ...(minSnr > 0 && { minSnr }) }),
        groups: adamGroups(recipe),
        schedule: adamSchedule(recipe),
        ...(heldOut && {
          async validate() {
            const images = plainImages(heldOut, EVALUATION_BATCH, RANGE);
            const { loss } = await evaluateDiffusion(model, shape, images, { schedule, prediction, seed: 0 });
            return { loss };
          },
        }),
        score: ({ loss }) => -loss,
        saveWeights: (path) => saveDiffusion(path, model, info),
        measure: () => measureDiffusion(model, info, dataset, onTest),
        figures: ({ loss, testImages }: DiffusionMeasure) => [
          {
            label: `error of the prediction, ${testImages.toLocaleString("en")} test images`,
            value: loss.toFixed(5),
          },
        ],
        dispose: () => model.dispose(),
      };
    },
  });
  return result;
}

/** Measures a network of diffusion on the first test images of a data set. */
export async function measureDiffusion(
  model: tfl.LayersModel,
  { inputShape, noise, times, prediction }: DiffusionInfo,
  { test }: ImageDataset,
  onTest: (images: number, total: number) => void = () => {},
): Promise<DiffusionMeasure> {
  const count = Math.min(MEASURED, test.count);
  const some: ImageSet = { ...test, count, read: (indices, into) => test.read(indices, into) };
  const { loss, images: testImages } = await evaluateDiffusion(
    model,
    inputShape,
    plainImages(some, EVALUATION_BATCH, RANGE),
    { schedule: noiseSchedule(noise, times), prediction, seed: 0 },
    (done) => onTest(done, count),
  );
  return { loss, testImages };
}
