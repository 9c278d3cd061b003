import { checkDatasetName } from "@tfjs-zoo/datasets/node";
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
import { choice, type Output, wholeNumber } from "../../context.ts";
import { formatDuration } from "../../terminal/format.ts";
import { endText, recipeOverrides, shown } from "../training.ts";
import { refuseOthers, type TrainFlags } from "./flags.ts";
import { type ImagePlan, trainImageMakerIn } from "./image-maker.ts";

interface Plan extends ImagePlan {
  recipe: AutoencoderRecipe;
  /** numbers of a z */
  latent: number;
  likelihood: Likelihood;
}

/** Trains a variational autoencoder: in a run that goes on, or in a new one. */
export const trainAutoencoderIn = (open: RunFolder | undefined, modelName: string, flags: TrainFlags, output: Output) =>
  trainImageMakerIn<Plan, AutoencoderResult>(open, flags, output, {
    planOf: () => planOf(modelName, flags),
    sizeFor: ({ model }) => findAutoencoder(model).inputShape,
    train: trainAutoencoder,
    about: ({ latent, likelihood }) => `${latent} numbers an image, ${likelihood} pixels`,
    epochText,
    finish,
  });

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
