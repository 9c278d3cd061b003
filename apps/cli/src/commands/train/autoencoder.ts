import type { ImageDataset } from "@tfjs-zoo/datasets";
import { checkDatasetName, loadDataset } from "@tfjs-zoo/datasets/node";
import { findAutoencoder, type Likelihood } from "@tfjs-zoo/models";
import {
  type AutoencoderRecipe,
  type AutoencoderResult,
  autoencoderRecipes,
  DRAWS,
  type EpochEvent,
  overrideAutoencoderRecipe,
  type RunFolder,
  recipeNameIn,
  trainAutoencoder,
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
  recipe: AutoencoderRecipe;
  /** numbers of a z */
  latent: number;
  likelihood: Likelihood;
  seed: number;
  full: boolean;
  precision: string;
}

/** Trains a variational autoencoder: in a run that goes on, or in a new one. */
export async function trainAutoencoderIn(
  open: RunFolder | undefined,
  modelName: string,
  flags: TrainFlags,
  output: Output,
): Promise<void> {
  const plan = open ? (open.config as unknown as Plan) : asUsage(() => planOf(modelName, flags));
  const machine = await machineFor(open, plan.precision, flags, output);
  const { precision, within } = machine;
  const dataset = await imagesFor(plan.dataset, plan.model, output);
  const config = { ...plan, recipe: { ...plan.recipe } };
  const { epochs } = plan.recipe;
  await trainInRun(
    { open, config, flags, machine, output },
    (run, going) =>
      trainAutoencoder({
        ...{ run, dataset, within, ...going },
        onStart({ resumedAt, images, heldOut }) {
          const { model, recipeName, seed, latent, likelihood } = plan;
          output.line(
            `${model} on ${dataset.name}, ${latent} numbers an image, ${likelihood} pixels, recipe ${recipeName}, ${precision}, seed ${seed}: ${images.toLocaleString("en")} images, ${heldOut.toLocaleString("en")} held out: ${shown(run.dir)}`,
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
  refuseOthers(flags, ["full", "latent", "likelihood"], modelName);
  const entry = findAutoencoder(modelName);
  const dataset = flags.dataset ?? "mnist";
  checkDatasetName(dataset);
  const name = recipeNameIn(flags.recipe ?? "quick", autoencoderRecipes);
  return {
    model: entry.name,
    dataset,
    recipeName: name,
    recipe: overrideAutoencoderRecipe(autoencoderRecipes[name], recipeOverrides(flags)),
    latent: wholeNumber("--latent", flags.latent ?? String(entry.latent), 1, 4096),
    likelihood: choice("--likelihood", flags.likelihood ?? usualLikelihood(dataset), ["bernoulli", "gaussian"]),
    seed: wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1),
    full: flags.full ?? false,
    precision: choice("--precision", flags.precision, ["auto", "f32", "bf16"]),
  };
}

/** Digits and clothes are white on black: nearly coins. */
const usualLikelihood = (dataset: string): Likelihood => (dataset.includes("mnist") ? "bernoulli" : "gaussian");

/** The images of a data set; those of a folder in the size that the network has by itself. */
export function imagesFor(name: string, model: string, output: Output): Promise<ImageDataset> {
  const size = name.startsWith("folder:") ? findAutoencoder(model).inputShape : undefined;
  return loadDataset(name, { size, progress: output.progress.update });
}

function epochText({ epoch, trainLoss, validation, seconds }: EpochEvent, epochs: number): string {
  const held = validation
    ? `, held out -ELBO ${validation.loss.toFixed(2)} (drawing ${validation.reconstruction.toFixed(2)}, KL ${validation.kl.toFixed(2)})`
    : "";
  return `epoch ${epoch}/${epochs}: loss ${trainLoss.toFixed(2)}${held} nats (${formatDuration(seconds)})`;
}

function finish(run: RunFolder, result: AutoencoderResult, output: Output): void {
  const { elbo, reconstruction, kl, nll, epochs, seconds, itemsPerSecond, testImages } = result;
  const figures = { elbo, reconstruction, kl, nll, epochs, seconds, items_per_s: itemsPerSecond, run: run.dir };
  output.result(figures, () =>
    endText(
      run,
      `test -ELBO ${elbo.toFixed(2)} nats on ${testImages.toLocaleString("en")} grey images (KL ${kl.toFixed(2)}), -log p(x) at most ${nll.toFixed(2)} by ${DRAWS} draws, after ${epochs} epochs, ${formatDuration(seconds)} of training (${itemsPerSecond.toFixed(0)} images/s)`,
      `npm run sample -- ${shown(run.dir)} --out sheet.png`,
    ),
  );
}
