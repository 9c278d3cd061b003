import { checkDatasetName, loadDataset } from "@tfjs-zoo/datasets/node";
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
import { asUsage, choice, type Output, wholeNumber } from "../../context.ts";
import { formatDuration } from "../../terminal/format.ts";
import { endText, goesOnText, recipeOverrides, shown, stepsShown } from "../training.ts";
import { refuseOthers, type TrainFlags } from "./flags.ts";
import { machineFor, trainInRun } from "./runs.ts";

interface Plan {
  model: string;
  dataset: string;
  recipeName: string;
  recipe: DiffusionRecipe;
  /** whether it is told the classes of images */
  conditional: boolean;
  seed: number;
  full: boolean;
  precision: string;
}

/** Trains a network of diffusion: in a run that goes on, or in a new one. */
export async function trainDiffusionIn(
  open: RunFolder | undefined,
  modelName: string,
  flags: TrainFlags,
  output: Output,
): Promise<void> {
  const plan = open ? (open.config as unknown as Plan) : asUsage(() => planOf(modelName, flags));
  const machine = await machineFor(open, plan.precision, flags, output);
  const { precision, within } = machine;
  const size = plan.dataset.startsWith("folder:") ? findDenoiser(plan.model).inputShape : undefined;
  const dataset = await loadDataset(plan.dataset, { size, progress: output.progress.update });
  const config = { ...plan, recipe: { ...plan.recipe } };
  const { epochs } = plan.recipe;
  await trainInRun(
    { open, config, flags, machine, output },
    (run, going) =>
      trainDiffusion({
        ...{ run, dataset, within, ...going },
        onStart({ resumedAt, images, heldOut }) {
          const { model, recipeName, recipe, conditional, seed } = plan;
          const told = conditional ? `told ${dataset.classes.length} classes` : "told no classes";
          output.line(
            `${model} on ${dataset.name}, ${told}, ${recipe.times} times of ${recipe.noise} noise, recipe ${recipeName}, ${precision}, seed ${seed}: ${images.toLocaleString("en")} images, ${heldOut.toLocaleString("en")} held out: ${shown(run.dir)}`,
          );
          if (resumedAt) output.line(goesOnText(resumedAt));
        },
        onStep: stepsShown(output, epochs, "images"),
        onEpoch: (event) => output.line(epochText(event, epochs)),
        onTest: (done, total) => output.progress.update({ label: "testing", done, total, unit: "items" }),
      }),
    finish,
  );
}

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
