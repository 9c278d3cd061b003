import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs-core";
import { type Batch, holdOut, type ImageDataset, type ImageSet } from "@tfjs-zoo/datasets";
import { InputError, randomStream } from "@tfjs-zoo/models";
import type { Position } from "../loop/fit.ts";
import { type PixelRange, plainBatches } from "../loop/image-batches.ts";
import { Trainer, type Within } from "../loop/trainer.ts";
import type { ParameterGroup } from "../optim/index.ts";
import type { Schedule } from "../schedules/schedule.ts";
import type { Task } from "../tasks/task.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { fitInRun, type RunTraining } from "./fit-in-run.ts";
import { type RunReport, type RunResult, runReport, runResult } from "./run-result.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";

/** Images a batch when nothing is learned. */
export const EVALUATION_BATCH = 100;

/** A training of a network that makes images: an autoencoder, a GAN, or one of diffusion. */
export interface ImageMakerTraining extends RunTraining {
  run: RunFolder;
  dataset: ImageDataset;
  /** What training steps run in: another precision of the backend, say. What is measured is in single precision. */
  within?: Within;
  onStart?(facts: { resumedAt?: Position; images: number; heldOut: number }): void;
  onTest?(images: number, total: number): void;
}

/** The recipe's part that all of them have. */
interface CommonRecipe {
  epochs: number;
  batchSize: number;
  learningRate: number;
  accumulate: number;
  clipNorm: number;
  ema: number;
  flip?: boolean;
  patience?: number;
}

/** What one kind of such networks is, and how it learns. */
export interface ImageMaker<Inputs extends tf.TensorContainer, Measure extends object> {
  task: Task<Batch, Inputs>;
  groups: readonly ParameterGroup[];
  schedule: Schedule;
  /** What is measured after every epoch, by name. */
  validate?(): Promise<{ [name: string]: number }>;
  /** What decides which epoch is best: the more the better; none is unless given. */
  score?(validation: { [name: string]: number }): number;
  /** Called after every epoch with the averaged weights in place. */
  afterEpoch?(epoch: number): Promise<void>;
  saveWeights(path: string): Promise<unknown>;
  /** What a finished network is measured by. */
  measure(): Promise<Measure>;
  /** of the report */
  figures(measure: Measure): RunReport["figures"];
  dispose(): void;
}

/** What the maker of a network is told. */
export interface ImagesToLearn {
  train: ImageSet;
  /** undefined where all images are trained on */
  heldOut: ImageSet | undefined;
  /** updates in an epoch */
  stepsPerEpoch: number;
}

export interface ImageMakerKind<Inputs extends tf.TensorContainer, Measure extends object> {
  range: PixelRange;
  /** Images that are held out of so many; none unless given. */
  heldOut?(images: number): number;
  make(images: ImagesToLearn): ImageMaker<Inputs, Measure>;
}

/**
 * Trains a network that makes images in a run folder, from the start or from its last checkpoint; afterwards measures it,
 * once, and writes weights, result and report.
 *
 * @returns the result; undefined when interrupted (the checkpoint is saved then)
 * @throws InputError when there are too few images for one step, or the loss is no longer finite
 */
export async function trainImageMaker<Inputs extends tf.TensorContainer, Measure extends object>(
  training: ImageMakerTraining,
  { range, heldOut, make }: ImageMakerKind<Inputs, Measure>,
): Promise<(RunResult & Measure) | undefined> {
  const { run, dataset } = training;
  const { seed, full } = run.config;
  const recipe = run.config.recipe as unknown as CommonRecipe;
  const { train, validation } =
    full || heldOut === undefined
      ? { train: dataset.train, validation: undefined }
      : holdOut(dataset.train, heldOut(dataset.train.count), randomStream(seed, "validation"));
  const { batchSize, accumulate, clipNorm, ema, flip, patience = 0 } = recipe;
  if (batchSize * accumulate > train.count) {
    throw new InputError(
      `--batch-size ${batchSize} x --accumulate ${accumulate} is more than the ${train.count} training images: lower one of them`,
    );
  }
  const data = plainBatches(train, { batchSize, seed, range, flip });
  const stepsPerEpoch = Math.floor(data.batchesPerEpoch / accumulate);
  const maker = make({ train, heldOut: validation, stepsPerEpoch });
  const { task, groups, schedule, validate, score = () => Number.NEGATIVE_INFINITY, afterEpoch, saveWeights } = maker;
  const trainer = new Trainer(task, { groups, clipNorm, ema, seed, within: training.within });
  try {
    const checkpoint = await loadCheckpoint(run.checkpointPath("last"));
    if (checkpoint !== undefined) trainer.restore(checkpoint.state, checkpoint.step);
    training.onStart?.({ resumedAt: checkpoint?.position, images: train.count, heldOut: validation?.count ?? 0 });
    const { end, position } = await fitInRun({
      ...{ run, training, trainer, checkpoint, data, schedule, validate, score, saveWeights },
      recipe: { ...recipe, patience },
      afterEpoch: afterEpoch && ((epoch) => trainer.withAverage(() => afterEpoch(epoch))),
    });
    if (end === "interrupted") return undefined;

    return await trainer.withAverage(async () => {
      const items = trainer.step * batchSize * accumulate;
      const { dataSeconds, stepSeconds } = position;
      const measure = await maker.measure();
      const result = { ...runResult(run.config, end, position, items / (dataSeconds + stepSeconds)), ...measure };
      await saveWeights(join(run.dir, "weights.safetensors"));
      await writeFileAtomic(join(run.dir, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
      const title = `${result.model} on ${result.dataset}`;
      const report = await runReport(run, result, { title, figures: maker.figures(measure), items: "images" });
      await writeFileAtomic(join(run.dir, "report.html"), report);
      return result;
    });
  } finally {
    trainer.dispose();
    maker.dispose();
  }
}
