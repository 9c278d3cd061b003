import { join } from "node:path";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { epochBatches, evaluationBatches, holdOut, type ImageDataset, type ImageSet } from "@tfjs-zoo/datasets";
import {
  countParams,
  createModel,
  freezeLayers,
  InputError,
  randomStream,
  whitenFirstConvolution,
} from "@tfjs-zoo/models";
import type { FitEnd, Position } from "../loop/fit.ts";
import { imageBatches } from "../loop/image-batches.ts";
import { Trainer, type Within } from "../loop/trainer.ts";
import { parameterGroups, type Recipe, scheduleOf } from "../recipes/recipe.ts";
import { classification, type Evaluation, evaluate } from "../tasks/classification.ts";
import type { ClassifierInfo } from "../tasks/classifier-weights.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { type ClassifierFile, saveClassifier } from "./classifier-file.ts";
import { classifierReport } from "./classifier-report.ts";
import type { ClassifierResult } from "./classifier-result.ts";
import { fitInRun, type RunTraining } from "./fit-in-run.ts";
import { type InitialWeights, type TakenWeights, takeWeights } from "./initial-weights.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunConfig, RunFolder } from "./runs/run-folder.ts";
import { type LoadedTeacher, teacherOf } from "./teacher.ts";
import { checkSameWeights, type NamedWeights } from "./weights-file.ts";

/** Images kept out of CIFAR-10's training set, or this share of a smaller one. */
const HELD_OUT = 5000;
const HELD_OUT_SHARE = 0.1;

/** Images whose patches the first convolution is whitened by. */
const WHITENED_BY = 5000;

/** Images a batch when nothing is learned. */
const EVALUATION_BATCH = 250;

export interface ClassifierTraining extends RunTraining {
  run: RunFolder;
  /** Normalised as the weights that the run begins from say, where it does. */
  dataset: ImageDataset;
  /** The weights that the run begins from (`init` of its config); asked for only where there is no checkpoint yet. */
  initial?: () => Promise<ClassifierFile>;
  /** The network that the run learns from (`teacher` of its config), where there is one. */
  teacher?: ClassifierFile;
  /** What training steps run in: another precision of the backend, say. What is measured is in single precision. */
  within?: Within;
  onStart?(facts: StartFacts): void;
  onTest?(images: number, total: number): void;
}

export interface StartFacts {
  resumedAt?: Position;
  validationImages: number;
  epochs: number;
  /** what the network has from elsewhere, at the start of a run that begins so */
  taken?: TakenWeights;
  /** the frozen layers that have weights, and how many parameters of all learn */
  frozen?: { layers: string[]; learning: number; parameters: number };
}

/**
 * Trains a classifier in a run folder, from the start or from its last checkpoint; afterwards tests it, once, and
 * writes weights, result and report.
 *
 * @returns the result; undefined when interrupted (the checkpoint is saved then)
 */
export async function trainClassifier(training: ClassifierTraining): Promise<ClassifierResult | undefined> {
  const { run, dataset } = training;
  const { model: name, seed, full } = run.config;
  const recipe = run.config.recipe as unknown as Recipe;
  const { train, validation } = splitTraining(dataset.train, seed, full);
  const info: ClassifierInfo = {
    model: name,
    dataset: dataset.name,
    classes: dataset.classes,
    inputShape: dataset.shape,
    mean: dataset.mean,
    std: dataset.std,
  };
  if (recipe.batchSize * recipe.accumulate > train.count) {
    throw new InputError(
      `--batch-size ${recipe.batchSize} x --accumulate ${recipe.accumulate} is more than the ${train.count} training images: lower one of them`,
    );
  }

  const model = createModel(name, { seed, classes: dataset.classes.length, inputShape: dataset.shape });
  const checkpoint = await loadCheckpoint(run.checkpointPath("last"));
  const taken = checkpoint ? undefined : await takeInitial(model, training);
  const frozen = freezeIn(model, run.config.freeze as string[] | undefined);
  if (taken?.freshHead !== undefined && frozen?.layers.includes(taken.freshHead)) {
    throw new InputError(
      `--freeze ${(run.config.freeze as string[]).join(",")} keeps the head ${taken.freshHead}, which is fresh and knows nothing: leave it out`,
    );
  }
  if (recipe.whiten) await whiten(model, train, dataset, seed);
  const teacher = loadTeacher(training, recipe);
  const { clipNorm, ema, labelSmoothing } = recipe;
  const task = classification(model, dataset.shape, { labelSmoothing, teacher });
  const trainer = new Trainer(task, {
    groups: parameterGroups(recipe),
    clipNorm,
    ema,
    within: training.within,
    seed,
  });

  if (checkpoint !== undefined) trainer.restore(checkpoint.state, checkpoint.step);
  const measure = async (set: ImageSet, onBatch?: (images: number) => void): Promise<Evaluation> =>
    evaluate(model, dataset.shape, evaluationBatches({ ...dataset, set, batchSize: EVALUATION_BATCH }), {
      views: recipe.testViews,
      onBatch,
    });

  training.onStart?.({
    resumedAt: checkpoint?.position,
    validationImages: validation?.count ?? 0,
    epochs: recipe.epochs,
    taken,
    frozen,
  });
  try {
    const { end, position } = await fitInRun({
      ...{ run, training, trainer, checkpoint, recipe },
      data: imageBatches(train, dataset, recipe, seed),
      schedule: scheduleOf(recipe),
      validate: validation && (() => measure(validation).then(({ accuracy, loss }) => ({ accuracy, loss }))),
      saveWeights: (path) => saveClassifier(path, model, info),
    });
    if (end === "interrupted") return undefined;

    return await trainer.withAverage(async () => {
      const test = await measure(dataset.test, (images) => training.onTest?.(images, dataset.test.count));
      const result = summarise(run.config, end, position, trainer.step * recipe.batchSize * recipe.accumulate, test);
      await saveClassifier(join(run.dir, "weights.safetensors"), model, info);
      await writeFileAtomic(join(run.dir, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
      await writeFileAtomic(join(run.dir, "report.html"), await classifierReport(run, dataset, test, result));
      return result;
    });
  } finally {
    trainer.dispose();
    model.dispose();
    teacher?.dispose();
  }
}

/** How many of so many training images are kept out to choose by. */
export const heldOutOf = (images: number): number =>
  Math.max(1, Math.min(HELD_OUT, Math.floor(images * HELD_OUT_SHARE)));

/** Without `full`, some training images are kept out to choose by; the same ones for the same seed. */
function splitTraining(set: ImageSet, seed: number, full: boolean): { train: ImageSet; validation?: ImageSet } {
  if (full) return { train: set };
  return holdOut(set, heldOutOf(set.count), randomStream(seed, "validation"));
}

/** Puts the weights that a run begins from into its network. */
async function takeInitial(
  model: LayersModel,
  { run, dataset, initial }: ClassifierTraining,
): Promise<TakenWeights | undefined> {
  const init = run.config.init as InitialWeights | undefined;
  if (init === undefined || initial === undefined) return undefined;
  const file = await initial();
  checkSameWeights(file, init);
  return takeWeights(model, file, dataset.classes, init.name);
}

function loadTeacher({ run, dataset, teacher }: ClassifierTraining, recipe: Recipe): LoadedTeacher | undefined {
  const record = run.config.teacher as NamedWeights | undefined;
  if (record === undefined || teacher === undefined) return undefined;
  checkSameWeights(teacher, record);
  return teacherOf(teacher, dataset, recipe, record.name);
}

function freezeIn(model: LayersModel, parts: readonly string[] | undefined): StartFacts["frozen"] {
  if (parts === undefined) return undefined;
  const parameters = countParams(model);
  const layers = freezeLayers(model, parts);
  return { layers, learning: countParams(model), parameters };
}

/** Whitens a network's first convolution by some of the training images, drawn at random. */
async function whiten(model: LayersModel, set: ImageSet, { mean, std, shape }: ImageDataset, seed: number) {
  const batchSize = Math.min(WHITENED_BY, set.count);
  const random = (...path: (string | number)[]) => randomStream(seed, "whiten", ...path);
  for await (const { images } of epochBatches({ set, mean, std, batchSize, random, epoch: 0 })) {
    whitenFirstConvolution(model, images, [batchSize, ...shape]);
    return;
  }
}

function summarise(
  { model, dataset, recipeName, seed, full, backend, precision }: RunConfig,
  end: FitEnd,
  position: Position,
  items: number,
  test: Evaluation,
): ClassifierResult {
  return {
    end,
    model,
    dataset,
    recipe: String(recipeName),
    seed,
    full,
    backend,
    precision,
    epochs: position.epoch,
    accuracy: test.accuracy,
    top5: test.top5,
    loss: test.loss,
    testImages: test.images,
    seconds: position.seconds,
    dataSeconds: position.dataSeconds,
    stepSeconds: position.stepSeconds,
    itemsPerSecond: items / (position.dataSeconds + position.stepSeconds),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}
