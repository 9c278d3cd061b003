import type { ImageDataset } from "@tfjs-zoo/datasets";
import { createModel, freezeLayers } from "@tfjs-zoo/models";
import { median } from "../bench/statistics.ts";
import { imageBatches } from "../loop/image-batches.ts";
import { Trainer, type Within } from "../loop/trainer.ts";
import { parameterGroups, type Recipe } from "../recipes/recipe.ts";
import { classification } from "../tasks/classification.ts";
import type { ClassifierFile } from "./classifier-file.ts";
import { teacherOf } from "./teacher.ts";
import { heldOutOf } from "./train-classifier.ts";

/** Steps that are taken before the clock counts, and those that it counts. */
const WARM_UP = 3;
const TIMED = 8;

/** Held-out tests and checkpoints take a part of a training's time. */
const IN_STEPS = 0.95;

export interface BudgetedTraining {
  model: string;
  dataset: ImageDataset;
  recipe: Recipe;
  /** Whether it trains on the images that are held out otherwise. */
  full: boolean;
  /** the parts of the network that do not learn */
  freeze?: readonly string[];
  /** the network that it learns from */
  teacher?: ClassifierFile;
  within?: Within;
}

/**
 * How many epochs of a recipe fit into some minutes here, by the time that some steps of a fresh network take.
 *
 * @returns at least 1
 */
export async function epochsIn(
  minutes: number,
  { model: name, dataset, recipe, full, freeze, teacher: file, within }: BudgetedTraining,
): Promise<number> {
  const model = createModel(name, { seed: 0, classes: dataset.classes.length, inputShape: dataset.shape });
  if (freeze) freezeLayers(model, freeze);
  const teacher = file && teacherOf(file, dataset, recipe);
  const task = classification(model, dataset.shape, { teacher });
  const trainer = new Trainer(task, { groups: parameterGroups(recipe), ema: recipe.ema, within, seed: 0 });
  const data = imageBatches(dataset.train, dataset, recipe, 0);
  const stepMs: number[] = [];
  try {
    let before = performance.now();
    for await (const batch of data.epoch(0, 0)) {
      await trainer.takeStep([batch], recipe.learningRate / 100);
      stepMs.push(performance.now() - before);
      before = performance.now();
      if (stepMs.length === WARM_UP + TIMED) break;
    }
  } finally {
    trainer.dispose();
    model.dispose();
    teacher?.dispose();
  }
  const { count } = dataset.train;
  const batches = Math.max(1, Math.floor((full ? count : count - heldOutOf(count)) / recipe.batchSize));
  const secondsAnEpoch = (median(stepMs.slice(Math.min(WARM_UP, stepMs.length - 1))) / 1000) * batches;
  return Math.max(1, Math.floor((60 * minutes * IN_STEPS) / secondsAnEpoch));
}
