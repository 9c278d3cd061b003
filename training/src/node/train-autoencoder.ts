import type { ImageDataset } from "@tfjs-zoo/datasets";
import { findAutoencoder, type Likelihood, type Vae } from "@tfjs-zoo/models";
import { plainImages } from "../loop/image-batches.ts";
import { adamGroups, adamSchedule } from "../recipes/adam-recipe.ts";
import type { AutoencoderRecipe } from "../recipes/autoencoder-recipe.ts";
import type { AutoencoderInfo } from "../tasks/autoencoder-weights.ts";
import { autoencoding, evaluateAutoencoder, evaluateImportanceBound } from "../tasks/autoencoding.ts";
import { saveAutoencoder } from "./autoencoder-file.ts";
import type { RunResult } from "./run-result.ts";
import { heldOutOf } from "./train-classifier.ts";
import { EVALUATION_BATCH, type ImageMakerTraining, trainImageMaker } from "./train-image-maker.ts";

/** Images a batch when of each there are many draws. */
const DRAWN_BATCH = 50;

/** of pixels */
const RANGE = "0 to 1";

/** K of the bound that a finished autoencoder is measured by. */
export const DRAWS = 50;

/** What a training of an autoencoder came to: the content of its result.json. */
export interface AutoencoderResult extends RunResult, AutoencoderMeasure {}

/** What an autoencoder says of a test set, nats an image. */
export interface AutoencoderMeasure {
  /** −ELBO of grey pixels, and its parts */
  elbo: number;
  reconstruction: number;
  kl: number;
  /** the bound of `DRAWS` draws on −log p(x); of pixels that became 0 or 1, where they are those of a coin */
  nll: number;
  testImages: number;
}

/**
 * Trains an autoencoder in a run folder, as `trainImageMaker` does.
 *
 * @returns the result; undefined when interrupted
 */
export async function trainAutoencoder(training: ImageMakerTraining): Promise<AutoencoderResult | undefined> {
  const { run, dataset, onTest } = training;
  const { model: name, seed } = run.config;
  const recipe = run.config.recipe as unknown as AutoencoderRecipe;
  const likelihood = run.config.likelihood as Likelihood;
  const latent = Number(run.config.latent);
  const { shape } = dataset;
  const { klWeight, klWarmupEpochs, draws, binarise } = recipe;
  const info: AutoencoderInfo = {
    ...{ model: name, dataset: dataset.name, inputShape: shape, latent, likelihood, binary: binarise },
  };
  const result = await trainImageMaker(training, {
    range: RANGE,
    heldOut: heldOutOf,
    make({ heldOut, stepsPerEpoch }) {
      const vae = findAutoencoder(name).build({ inputShape: shape, latent, likelihood, seed });
      const klWarmup = Math.ceil(klWarmupEpochs * stepsPerEpoch);
      return {
        task: autoencoding(vae, { shape, beta: klWeight, klWarmup, draws, binarise }),
        groups: adamGroups(recipe),
        schedule: adamSchedule(recipe),
        ...(heldOut && {
          async validate() {
            const { loss, reconstruction, kl } = await evaluateAutoencoder(
              vae,
              shape,
              plainImages(heldOut, EVALUATION_BATCH, RANGE),
              { binarise },
            );
            return { loss, reconstruction, kl };
          },
        }),
        score: ({ loss }) => -loss,
        saveWeights: (path) => saveAutoencoder(path, vae, info),
        measure: () => measureAutoencoder(vae, dataset, onTest),
        figures: ({ elbo, reconstruction, kl, nll, testImages }: AutoencoderMeasure) => [
          { label: `-ELBO of ${testImages.toLocaleString("en")} grey test images, nats`, value: elbo.toFixed(2) },
          { label: "of these, what drawing takes", value: reconstruction.toFixed(2) },
          { label: "of these, the KL divergence", value: kl.toFixed(2) },
          { label: `-log p(x), bound of ${DRAWS} draws, nats`, value: nll.toFixed(2) },
        ],
        dispose: () => vae.dispose(),
      };
    },
  });
  return result;
}

/** Measures an autoencoder on a data set's test images. */
export async function measureAutoencoder(
  vae: Vae,
  { test, shape }: ImageDataset,
  onTest: (images: number, total: number) => void = () => {},
): Promise<AutoencoderMeasure> {
  const grey = await evaluateAutoencoder(vae, shape, plainImages(test, EVALUATION_BATCH, RANGE));
  const { nll, images } = await evaluateImportanceBound(vae, shape, plainImages(test, DRAWN_BATCH, RANGE), {
    draws: DRAWS,
    binarise: vae.likelihood === "bernoulli",
    onBatch: (done) => onTest(done, test.count),
  });
  const { loss: elbo, reconstruction, kl } = grey;
  return { elbo, reconstruction, kl, nll, testImages: images };
}
