import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { countMacs, countParams, findModel } from "@tfjs-zoo/models";
import { verifyWeights } from "@tfjs-zoo/models/weights";
import { loadClassifier, startBackend } from "@tfjs-zoo/training/node";
import { beforeAll, describe, expect, it } from "vitest";
import { pretrainedCards, pretrainedFolder } from "../../apps/cli/src/pretrained.ts";

const cards = await pretrainedCards();

beforeAll(() => startBackend("cpu"));

it("there are weights", () => expect(cards.length).toBeGreaterThan(0));

describe.each(cards.map((card) => ({ name: `${card.model}.${card.tag}`, card })))("$name", ({ name, card }) => {
  const file = join(pretrainedFolder(), name, "model.safetensors");

  it("is the file that its card describes, of at most 12 MB", async () => {
    await verifyWeights(card, await readFile(file));
    expect(card.bytes).toBeLessThan(12e6);
  });

  it("loads into the network that its card names, and knows its classes", async () => {
    const { model, info } = await loadClassifier(file);
    expect(countParams(model)).toBe(card.parameters);
    expect(countMacs(model)).toBe(card.macs);
    expect(findModel(card.model).task).toBe(card.task);
    expect(info.classes).toEqual(card.classes);
    expect([info.mean, info.std]).toEqual([card.normalisation?.mean, card.normalisation?.std]);
    model.dispose();
  });
});
