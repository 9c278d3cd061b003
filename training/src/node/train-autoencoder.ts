import { join } from "node:path";
import { holdOut, type ImageDataset, type ImageSet } from "@tfjs-zoo/datasets";
import { findAutoencoder, InputError, type Likelihood, randomStream, type Vae } from "@tfjs-zoo/models";
import type { Position } from "../loop/fit.ts";
import { plainBatches, plainImages } from "../loop/image-batches.ts";
import { Trainer, type Within } from "../loop/trainer.ts";
import { adamGroups, adamSchedule } from "../recipes/adam-recipe.ts";
import type { AutoencoderRecipe } from "../recipes/autoencoder-recipe.ts";
import type { AutoencoderInfo } from "../tasks/autoencoder-weights.ts";
import {
  type AutoencoderEvaluation,
  autoencoding,
  evaluateAutoencoder,
  evaluateImportanceBound,
} from "../tasks/autoencoding.ts";
import { saveAutoencoder } from "./autoencoder-file.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { fitInRun, type RunTraining } from "./fit-in-run.ts";
import { type RunResult, runReport, runResult } from "./run-result.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";
import { heldOutOf } from "./train-classifier.ts";

/** Images a batch when nothing is learned; of those of whose z there are many draws. */
const EVALUATION_BATCH = 200;
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

export interface AutoencoderTraining extends RunTraining {
  run: RunFolder;
  dataset: ImageDataset;
  /** What training steps run in: another precision of the backend, say. What is measured is in single precision. */
  within?: Within;
  onStart?(facts: { resumedAt?: Position; images: number; heldOut: number }): void;
  onTest?(images: number, total: number): void;
}

/**
 * Trains an autoencoder in a run folder, from the start or from its last checkpoint; afterwards tests it, once, and writes
 * weights, result and report.
 *
 * @returns the result; undefined when interrupted (the checkpoint is saved then)
 * @throws InputError when there are too few images for one step, or the loss is no longer finite
 */
export async function trainAutoencoder(training: AutoencoderTraining): Promise<AutoencoderResult | undefined> {
  const { run, dataset } = training;
  const { model: name, seed, full } = run.config;
  const recipe = run.config.recipe as unknown as AutoencoderRecipe;
  const likelihood = run.config.likelihood as Likelihood;
  const { shape } = dataset;
  const { train, validation } = full
    ? { train: dataset.train, validation: undefined }
    : holdOut(dataset.train, heldOutOf(dataset.train.count), randomStream(seed, "validation"));
  const { batchSize, accumulate, clipNorm, ema, klWeight, klWarmupEpochs, draws, binarise } = recipe;
  if (batchSize * accumulate > train.count) {
    throw new InputError(
      `--batch-size ${batchSize} x --accumulate ${accumulate} is more than the ${train.count} training images: lower one of them`,
    );
  }

  const latent = Number(run.config.latent);
  const vae = findAutoencoder(name).build({ inputShape: shape, latent, likelihood, seed });
  const info: AutoencoderInfo = {
    ...{ model: name, dataset: dataset.name, inputShape: shape, latent, likelihood, binary: binarise },
  };
  const data = plainBatches(train, { batchSize, seed, range: RANGE });
  const checkpoint = await loadCheckpoint(run.checkpointPath("last"));
  const klWarmup = Math.ceil((klWarmupEpochs * data.batchesPerEpoch) / accumulate);
  const trainer = new Trainer(autoencoding(vae, { shape, beta: klWeight, klWarmup, draws, binarise }), {
    groups: adamGroups(recipe),
    ...{ clipNorm, ema, seed },
    within: training.within,
  });
  if (checkpoint !== undefined) trainer.restore(checkpoint.state, checkpoint.step);
  const validate = async (): Promise<AutoencoderEvaluation> =>
    evaluateAutoencoder(vae, shape, plainImages(validation as ImageSet, EVALUATION_BATCH, RANGE), { binarise });

  training.onStart?.({
    resumedAt: checkpoint?.position,
    images: train.count,
    heldOut: validation?.count ?? 0,
  });
  try {
    const { end, position } = await fitInRun({
      ...{ run, training, trainer, checkpoint, recipe, data },
      schedule: adamSchedule(recipe),
      validate: validation && (() => validate().then(({ images: _, ...parts }) => parts)),
      score: ({ loss }) => -loss,
      saveWeights: (path) => saveAutoencoder(path, vae, info),
    });
    if (end === "interrupted") return undefined;

    return await trainer.withAverage(async () => {
      const items = trainer.step * batchSize * accumulate;
      const { dataSeconds, stepSeconds } = position;
      const result: AutoencoderResult = {
        ...runResult(run.config, end, position, items / (dataSeconds + stepSeconds)),
        ...(await measureAutoencoder(vae, dataset, training.onTest)),
      };
      await saveAutoencoder(join(run.dir, "weights.safetensors"), vae, info);
      await writeFileAtomic(join(run.dir, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
      await writeFileAtomic(join(run.dir, "report.html"), await report(run, result));
      return result;
    });
  } finally {
    trainer.dispose();
    vae.dispose();
  }
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

function report(run: RunFolder, result: AutoencoderResult): Promise<string> {
  const { model, dataset, elbo, reconstruction, kl, nll, testImages } = result;
  return runReport(run, result, {
    title: `${model} on ${dataset}`,
    figures: [
      { label: `-ELBO of ${testImages.toLocaleString("en")} grey test images, nats`, value: elbo.toFixed(2) },
      { label: "of these, what drawing takes", value: reconstruction.toFixed(2) },
      { label: "of these, the KL divergence", value: kl.toFixed(2) },
      { label: `-log p(x), bound of ${DRAWS} draws, nats`, value: nll.toFixed(2) },
    ],
    items: "images",
  });
}
