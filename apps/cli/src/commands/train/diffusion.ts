import { checkDatasetName } from "@tfjs-zoo/datasets/node";
import { findDenoiser } from "@tfjs-zoo/models";
import {
  type DiffusionRecipe,
  type DiffusionResult,
  diffusionRecipes,
  type EpochEvent,
  overrideDiffusionRecipe,
  type RunFolder,
  recipeNameIn,
  trainDiffusion,
} from "@tfjs-zoo/training/node";
import { choice, type Output, wholeNumber } from "../../context.ts";
import { formatDuration } from "../../terminal/format.ts";
import { endText, recipeOverrides, shown } from "../training.ts";
import { refuseOthers, type TrainFlags } from "./flags.ts";
import { type ImagePlan, trainImageMakerIn } from "./image-maker.ts";

interface Plan extends ImagePlan {
  recipe: DiffusionRecipe;
  /** whether it is told the classes of images */
  conditional: boolean;
}

/** Trains a network of diffusion: in a run that goes on, or in a new one. */
export const trainDiffusionIn = (open: RunFolder | undefined, modelName: string, flags: TrainFlags, output: Output) =>
  trainImageMakerIn<Plan, DiffusionResult>(open, flags, output, {
    planOf: () => planOf(modelName, flags),
    sizeFor: ({ model }) => findDenoiser(model).inputShape,
    train: trainDiffusion,
    about: ({ conditional, recipe }, { classes }) =>
      `told ${conditional ? classes.length : "no"} classes, ${recipe.times} times of ${recipe.noise} noise`,
    epochText,
    finish,
  });

function planOf(modelName: string, flags: TrainFlags): Plan {
  refuseOthers(flags, ["full", "unconditional"], modelName);
  const entry = findDenoiser(modelName);
  const dataset = flags.dataset ?? (entry.inputShape[2] === 1 ? "mnist" : "cifar10");
  checkDatasetName(dataset);
  const name = recipeNameIn(flags.recipe ?? "quick", diffusionRecipes);
  return {
    model: entry.name,
    dataset,
    recipeName: name,
    recipe: overrideDiffusionRecipe(diffusionRecipes[name], recipeOverrides(flags)),
    conditional: !flags.unconditional,
    seed: wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1),
    full: flags.full ?? false,
    precision: choice("--precision", flags.precision, ["auto", "f32", "bf16"]),
  };
}

function epochText({ epoch, trainLoss, validation, seconds }: EpochEvent, epochs: number): string {
  const held = validation ? `, held-out loss ${validation.loss.toFixed(5)}` : "";
  return `epoch ${epoch}/${epochs}: loss ${trainLoss.toFixed(5)}${held} (${formatDuration(seconds)})`;
}

function finish(run: RunFolder, result: DiffusionResult, output: Output): void {
  const { loss, epochs, seconds, itemsPerSecond, testImages } = result;
  output.result({ loss, epochs, seconds, items_per_s: itemsPerSecond, run: run.dir }, () =>
    endText(
      run,
      `test loss ${loss.toFixed(5)} on ${testImages.toLocaleString("en")} images after ${epochs} epochs, ${formatDuration(seconds)} of training (${itemsPerSecond.toFixed(0)} images/s)`,
      `npm run sample -- ${shown(run.dir)} --out sheet.png`,
    ),
  );
}
