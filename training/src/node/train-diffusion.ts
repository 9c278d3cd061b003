import { join } from "node:path";
import type * as tfl from "@tensorflow/tfjs-layers";
import { holdOut, type ImageDataset, type ImageSet } from "@tfjs-zoo/datasets";
import { findDenoiser, InputError, noiseSchedule, randomStream } from "@tfjs-zoo/models";
import type { Position } from "../loop/fit.ts";
import { plainBatches, plainImages } from "../loop/image-batches.ts";
import { Trainer, type Within } from "../loop/trainer.ts";
import { adamGroups, adamSchedule } from "../recipes/adam-recipe.ts";
import type { DiffusionRecipe } from "../recipes/diffusion-recipe.ts";
import { diffusion, evaluateDiffusion } from "../tasks/diffusion.ts";
import type { DiffusionInfo } from "../tasks/diffusion-weights.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { saveDiffusion } from "./diffusion-file.ts";
import { fitInRun, type RunTraining } from "./fit-in-run.ts";
import { type RunResult, runReport, runResult } from "./run-result.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";

/** Images a batch when nothing is learned. */
const EVALUATION_BATCH = 100;

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

export interface DiffusionTraining extends RunTraining {
  run: RunFolder;
  dataset: ImageDataset;
  /** What training steps run in: another precision of the backend, say. What is measured is in single precision. */
  within?: Within;
  onStart?(facts: { resumedAt?: Position; images: number; heldOut: number }): void;
  onTest?(images: number, total: number): void;
}

/**
 * Trains a network of diffusion in a run folder, from the start or from its last checkpoint; afterwards tests it, once, and
 * writes weights, result and report.
 *
 * @returns the result; undefined when interrupted (the checkpoint is saved then)
 * @throws InputError when there are too few images for one step, or the loss is no longer finite
 */
export async function trainDiffusion(training: DiffusionTraining): Promise<DiffusionResult | undefined> {
  const { run, dataset } = training;
  const { model: name, seed, full } = run.config;
  const recipe = run.config.recipe as unknown as DiffusionRecipe;
  const { shape, classes } = dataset;
  const { train, validation } = full
    ? { train: dataset.train, validation: undefined }
    : holdOut(dataset.train, Math.min(HELD_OUT, Math.ceil(dataset.train.count / 10)), randomStream(seed, "validation"));
  const { batchSize, accumulate, clipNorm, ema, noise, times, prediction, minSnr, dropClass, dropout, flip } = recipe;
  if (batchSize * accumulate > train.count) {
    throw new InputError(
      `--batch-size ${batchSize} x --accumulate ${accumulate} is more than the ${train.count} training images: lower one of them`,
    );
  }

  const told = run.config.conditional ? classes : undefined;
  const info: DiffusionInfo = {
    ...{ model: name, dataset: dataset.name, inputShape: shape, noise, times, prediction },
    ...(told && { classes: told }),
  };
  const schedule = noiseSchedule(noise, times);
  const model = findDenoiser(name).build({ inputShape: shape, classes: told?.length, dropout, seed });
  const task = diffusion(model, shape, { schedule, prediction, dropClass, ...(minSnr > 0 && { minSnr }) });
  const checkpoint = await loadCheckpoint(run.checkpointPath("last"));
  const trainer = new Trainer(task, {
    groups: adamGroups(recipe),
    ...{ clipNorm, ema, seed },
    within: training.within,
  });
  if (checkpoint !== undefined) trainer.restore(checkpoint.state, checkpoint.step);
  const measure = (set: ImageSet, onBatch?: (images: number) => void) =>
    evaluateDiffusion(
      model,
      shape,
      plainImages(set, EVALUATION_BATCH, RANGE),
      { schedule, prediction, seed: 0 },
      onBatch,
    );

  training.onStart?.({ resumedAt: checkpoint?.position, images: train.count, heldOut: validation?.count ?? 0 });
  try {
    const { end, position } = await fitInRun({
      ...{ run, training, trainer, checkpoint, recipe },
      data: plainBatches(train, { batchSize, seed, range: RANGE, flip }),
      schedule: adamSchedule(recipe),
      validate: validation && (() => measure(validation).then(({ loss }) => ({ loss }))),
      score: ({ loss }) => -loss,
      saveWeights: (path) => saveDiffusion(path, model, info),
    });
    if (end === "interrupted") return undefined;

    return await trainer.withAverage(async () => {
      const items = trainer.step * batchSize * accumulate;
      const { dataSeconds, stepSeconds } = position;
      const result: DiffusionResult = {
        ...runResult(run.config, end, position, items / (dataSeconds + stepSeconds)),
        ...(await measureDiffusion(model, info, dataset, training.onTest)),
      };
      await saveDiffusion(join(run.dir, "weights.safetensors"), model, info);
      await writeFileAtomic(join(run.dir, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
      await writeFileAtomic(join(run.dir, "report.html"), await report(run, result));
      return result;
    });
  } finally {
    trainer.dispose();
    model.dispose();
  }
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

function report(run: RunFolder, result: DiffusionResult): Promise<string> {
  const { model, dataset, loss, testImages } = result;
  return runReport(run, result, {
    title: `${model} on ${dataset}`,
    figures: [
      { label: `error of the prediction, ${testImages.toLocaleString("en")} test images`, value: loss.toFixed(5) },
    ],
    items: "images",
  });
}
