import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { type ImageDataset, type ImageSet, inMemoryImages } from "@tfjs-zoo/datasets";
import { drawLatents, findGan, type Gan, randomStream } from "@tfjs-zoo/models";
import { pictureOf, sheet } from "../charts/picture.ts";
import { plainImages } from "../loop/image-batches.ts";
import { classBalance, collapseSigns } from "../metrics/generative/class-balance.ts";
import { classifierFeatures, type FeatureNetwork } from "../metrics/generative/classifier-features.ts";
import { precisionRecall } from "../metrics/generative/precision-recall.ts";
import { COLLAPSED, variety } from "../metrics/generative/variety.ts";
import { adamSchedule } from "../recipes/adam-recipe.ts";
import { type GanRecipe, ganGroups } from "../recipes/gan-recipe.ts";
import { adversarial, generatedImages } from "../tasks/adversarial.ts";
import type { GanInfo } from "../tasks/gan-weights.ts";
import { saveGan } from "./gan-file.ts";
import type { RunResult } from "./run-result.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import { encodePng } from "./runs/report/png.ts";
import { EVALUATION_BATCH, type ImageMakerTraining, trainImageMaker } from "./train-image-maker.ts";

/** Generated images, and real ones, by whose differences from each other a collapse is told. */
const COMPARED = 500;

/** Of a sheet, which shows the same z after every epoch; with classes, each row its own. */
const ROWS = 10;
const COLUMNS = 10;
const BETWEEN = 24;

export interface GanMeasure {
  /** how much generated images differ from one another, real test images being 1 */
  variety: number;
  /** signs of mode collapse, in words; none where there are none */
  collapse: string[];
  /** images of either kind that this is told from */
  images: number;
}

export interface GanTraining extends ImageMakerTraining {
  /** a classifier of the data set, which tells whether classes are missing */
  classifier?: FeatureNetwork;
}

/** What a training of a GAN came to: the content of its result.json. */
export interface GanResult extends RunResult, GanMeasure {}

/**
 * Trains a GAN in a run folder, as `trainImageMaker` does. After every epoch a sheet of what it makes is put beside the
 * checkpoints, as samples/epoch-001.png.
 *
 * @returns the result; undefined when interrupted
 * @throws InputError for a recipe that does not fit the network
 */
export async function trainGan({ classifier, ...training }: GanTraining): Promise<GanResult | undefined> {
  const { run, dataset } = training;
  const { model: name, seed } = run.config;
  const recipe = run.config.recipe as unknown as GanRecipe;
  const latent = Number(run.config.latent);
  const { shape } = dataset;
  const told = run.config.conditional ? dataset.classes : undefined;
  const info: GanInfo = {
    ...{ model: name, dataset: dataset.name, inputShape: shape, latent },
    ...(told && { classes: told }),
  };
  const result = await trainImageMaker(training, {
    range: "-1 to 1",
    make() {
      const gan = findGan(name).build({ imageShape: shape, latent, classes: told?.length, seed });
      return {
        task: adversarial(gan, shape, recipe),
        groups: ganGroups(recipe, gan),
        schedule: adamSchedule(recipe),
        validate: async () => ({ variety: (await measureGan(gan, dataset)).variety }),
        async afterEpoch(epoch) {
          await mkdir(join(run.dir, "samples"), { recursive: true });
          const file = `epoch-${String(epoch).padStart(3, "0")}.png`;
          await writeFileAtomic(join(run.dir, "samples", file), await sheetOf(gan, shape, seed));
        },
        saveWeights: (path) => saveGan(path, gan, info),
        measure: () => measureGan(gan, dataset, classifier),
        figures: (measure: GanMeasure) => [
          { label: "variety of its images, of real ones 1", value: measure.variety.toFixed(3) },
          { label: "mode collapse", value: measure.collapse.join("; ") || "no sign of it" },
          { label: "discriminator", value: `${recipe.loss}, ${recipe.discriminatorSteps} step(s) for one` },
        ],
        dispose: () => gan.dispose(),
      };
    },
  });
  return result;
}

/**
 * Measures how much a generator's images differ, and whether it has collapsed: by their pixels, and with a classifier of
 * the data set by the classes that it takes them for and the real images that lie among them.
 */
export async function measureGan(
  gan: Pick<Gan, "generator" | "latent" | "classes">,
  { test, shape }: ImageDataset,
  classifier?: FeatureNetwork,
): Promise<GanMeasure> {
  const count = Math.min(COMPARED, test.count);
  const real: number[] = [];
  const some = { ...test, count, read: (indices: Int32Array, into: Uint8Array) => test.read(indices, into) };
  for await (const { images } of plainImages(some, EVALUATION_BATCH, "0 to 1")) for (const x of images) real.push(x);
  const made = await imagesOf(gan, count, 0, (i) => i);
  const found = await variety(made, Float32Array.from(real), shape[0] * shape[1] * shape[2]);
  const alike = found < COLLAPSED ? [`its images are alike: variety ${found.toFixed(2)}, of real ones 1`] : [];
  const samples = inMemoryImages(
    Uint8Array.from(made, (x) => Math.round(255 * x)),
    new Uint16Array(count),
    shape,
  );
  const missing = classifier ? await missingBy(classifier, samples, some) : [];
  return { images: count, variety: found, collapse: [...alike, ...missing] };
}

/** Signs of collapse that a classifier sees in samples beside real images. */
async function missingBy(classifier: FeatureNetwork, samples: ImageSet, real: ImageSet): Promise<string[]> {
  const [ofSamples, ofReal] = [
    await classifierFeatures(classifier, samples),
    await classifierFeatures(classifier, real),
  ];
  const { classes } = classifier.info;
  const { shares } = classBalance(ofReal.probabilities, classes.length);
  const { recall } = await precisionRecall(ofReal.features, ofSamples.features);
  return collapseSigns(classBalance(ofSamples.probabilities, classes.length, shares), classes, recall);
}

/** A sheet of images as PNG. */
async function sheetOf(gan: Gan, shape: readonly number[], seed: number): Promise<Uint8Array> {
  const images = await imagesOf(gan, ROWS * COLUMNS, seed, (i) => Math.floor(i / COLUMNS));
  const size = images.length / (ROWS * COLUMNS);
  const tiles = Array.from({ length: ROWS * COLUMNS }, (_, i) =>
    pictureOf(images.subarray(i * size, (i + 1) * size), shape),
  );
  const { pixels, height, width } = sheet(tiles, BETWEEN, COLUMNS);
  return encodePng(pixels, [height, width, 3]);
}

/** [count, height, width, channels], 0 to 1; the class of image i is `kindOf(i)`, from the first one again after the last. */
async function imagesOf(
  gan: Pick<Gan, "generator" | "latent" | "classes">,
  count: number,
  seed: number,
  kindOf: (i: number) => number,
): Promise<Float32Array> {
  const random = randomStream(seed, "sample");
  const { classes } = gan;
  const chunks: Float32Array[] = [];
  for (let first = 0; first < count; first += EVALUATION_BATCH) {
    const size = Math.min(EVALUATION_BATCH, count - first);
    const z = drawLatents(size, gan.latent, random);
    const images = tf.tidy(() => {
      const kinds =
        classes === undefined ? undefined : Array.from({ length: size }, (_, i) => kindOf(first + i) % classes);
      return generatedImages(gan, tf.tensor2d(z), kinds ? tf.tensor1d(kinds, "int32") : undefined);
    });
    chunks.push((await images.data()) as Float32Array);
    images.dispose();
  }
  const all = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
