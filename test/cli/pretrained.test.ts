import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { countMacs, countParams, findModel, findTranslator, type ModelEntry } from "@tfjs-zoo/models";
import { verifyWeights } from "@tfjs-zoo/models/weights";
import {
  autoencoderFrom,
  bertFrom,
  diffusionFrom,
  generatorFrom,
  languageModelOf,
  loadClassifier,
  readAutoencoder,
  readDiffusion,
  readGan,
  readLanguageModel,
  readTextEncoder,
  readTranslator,
  startBackend,
  textClassifierFrom,
  translatorFrom,
} from "@tfjs-zoo/training/node";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { publishedSheet } from "../../apps/cli/src/commands/sample/published-sheet.ts";
import { createOutput } from "../../apps/cli/src/context.ts";
import { pretrainedCards, pretrainedFolder } from "../../apps/cli/src/pretrained.ts";

const cards = await pretrainedCards();

/** A network, the graph whose cost is stated where it has several, the tokens of one input, and what its card should know. */
interface Loaded {
  model: LayersModel;
  counted?: LayersModel;
  time?: number;
  known: object;
}

/** By task. */
const loaders: { [T in ModelEntry["task"]]: (file: string) => Promise<Loaded> } = {
  async classification(file) {
    const { model, info } = await loadClassifier(file);
    const { classes, mean, std } = info;
    return { model, known: { classes, normalisation: { mean, std } } };
  },
  async "language-modelling"(file) {
    const read = await readLanguageModel(file);
    return { model: languageModelOf(read), time: read.info.context, known: { normalisation: null } };
  },
  async translation(file) {
    const read = await readTranslator(file);
    const { tokens } = findTranslator(read.info.model);
    return { model: translatorFrom(read).train, time: tokens, known: { normalisation: null } };
  },
  async "masked-language-modelling"(file) {
    const read = await readTextEncoder(file);
    const { context: time, classes } = read.info;
    if (classes) return { model: textClassifierFrom(read, file), time, known: { classes, normalisation: null } };
    const { pretrain, encode } = bertFrom(read, file);
    return { model: pretrain, counted: encode, time, known: { normalisation: null } };
  },
  async autoencoding(file) {
    return { model: autoencoderFrom(await readAutoencoder(file), file).train, known: { normalisation: null } };
  },
  async diffusion(file) {
    const read = await readDiffusion(file);
    const { classes } = read.info;
    return { model: diffusionFrom(read, file), known: { ...(classes && { classes }), normalisation: null } };
  },
  async adversarial(file) {
    const read = await readGan(file);
    const { classes } = read.info;
    return { model: generatorFrom(read, file).generator, known: { ...(classes && { classes }), normalisation: null } };
  },
};

beforeAll(() => startBackend("cpu"));

it("there are weights", () => expect(cards.length).toBeGreaterThan(0));

describe.each(cards.map((card) => ({ name: `${card.model}.${card.tag}`, card })))("$name", ({ name, card }) => {
  const file = join(pretrainedFolder(), name, "model.safetensors");

  it("is the file that its card describes, of at most 12 MB", async () => {
    await verifyWeights(card, await readFile(file));
    expect(card.bytes).toBeLessThan(12e6);
  });

  it("loads into the network that its card names, and knows what that needs to know", async () => {
    expect(findModel(card.model).task).toBe(card.task);
    const { model, counted = model, time, known } = await loaders[card.task as ModelEntry["task"]](file);
    expect(countParams(model)).toBe(card.parameters);
    expect(countMacs(counted, time)).toBe(card.macs);
    expect({ classes: card.classes, normalisation: card.normalisation }).toEqual(known);
    model.dispose();
  });
});

/** What published weights were to reach: [weights, figure, how, at least, at most]. */
const bars: [string, string, string | undefined, number, number][] = [
  ["lenet5.mnist", "accuracy", undefined, 0.992, 1],
  ["alexnet-cifar.cifar10", "accuracy", undefined, 0.85, 1],
  ["vgg11-bn-cifar.cifar10", "accuracy", undefined, 0.91, 1],
  ["resnet20.cifar10", "accuracy", undefined, 0.92, 1],
  ["resnet56.cifar10", "accuracy", undefined, 0.93, 1],
  ["densenet-bc40.cifar10", "accuracy", undefined, 0.91, 1],
  ["vae.mnist", "-ELBO", undefined, 0, 105],
  ["vae-conv.mnist", "-log p(x), 50 draws", undefined, 0, 87],
  ["dcgan-mnist.fashion-mnist", "recall", undefined, 0.4, 1],
  ["dcgan-mnist.fashion-mnist", "share of the rarest class", undefined, 0.05, 1],
  ["dcgan-mnist.fashion-mnist", "share of the most frequent class", undefined, 0, 0.15],
  ["wgan-mnist.fashion-mnist", "recall", undefined, 0.4, 1],
  ["wgan-mnist.fashion-mnist", "share of the rarest class", undefined, 0.05, 1],
  ["wgan-mnist.fashion-mnist", "share of the most frequent class", undefined, 0, 0.15],
  ["ddpm.mnist", "confidence", "ddim, 50 steps", 0.95, 1],
  ["ddpm.mnist", "share of the rarest class", "ddim, 50 steps", 0.05, 1],
  ["ddpm.mnist", "share of the most frequent class", "ddim, 50 steps", 0, 0.15],
  // Within two points of what lenet5.mnist tells right of real test images.
  ["ddpm.mnist", "share of the class that was asked for", "ddim, 50 steps, guidance 2", 0.9734, 1],
];

it.each(bars)("%s has a %s (%s) from %d to %d", (name, figure, how, least, most) => {
  const card = cards.find(({ model, tag }) => `${model}.${tag}` === name);
  const all = card ? [card.metric, ...(card.otherMetrics ?? [])] : [];
  const found = all.find((metric) => metric.name === figure && metric.how === how);
  expect(found?.value).toBeGreaterThanOrEqual(least);
  expect(found?.value).toBeLessThanOrEqual(most);
});

const sheets = cards.filter(({ samples }) => samples !== undefined);

describe.each(sheets.map((card) => ({ name: `${card.model}.${card.tag}`, card })))(
  "the sheet of $name",
  ({ name, card }) => {
    const file = join(pretrainedFolder(), name, "model.safetensors");
    const sheetFile = join(pretrainedFolder(), name, card.samples as string);

    it("is small", async () => {
      const sheet = await readFile(sheetFile);
      expect(sheet.length).toBeLessThan(4e5);
      const { width, height } = await sharp(sheet).metadata();
      expect(Math.max(width ?? 0, height ?? 0)).toBeLessThan(1000);
    });

    // Diffusion's many steps take their time in plain JavaScript.
    if (card.task === "diffusion") return;
    it("is what its network makes", async () => {
      const [shipped, made] = await Promise.all(
        [readFile(sheetFile), publishedSheet(file, createOutput({ json: true }))].map(async (png) =>
          sharp(await png)
            .raw()
            .toBuffer(),
        ),
      );
      expect(made.length).toBe(shipped.length);
      const far = made.reduce((most, value, i) => Math.max(most, Math.abs(value - shipped[i])), 0);
      expect(far).toBeLessThanOrEqual(3); // of 255: backends round otherwise
    });
  },
);
