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
