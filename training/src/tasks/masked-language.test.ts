import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { type BertIds, type EncodedDocuments, maskedTexts } from "@tfjs-zoo/datasets";
import { bert, disposeBert, randomStream } from "@tfjs-zoo/models";
import { registerWasmKernels } from "@tfjs-zoo/models/kernels/wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { Trainer } from "../loop/trainer.ts";
import { adam, weightsAndBiases } from "../optim/index.ts";
import { evaluateMasked, maskedLanguage } from "./masked-language.ts";

beforeAll(async () => {
  registerWasmKernels();
  await tf.setBackend("wasm");
});

const ids: BertIds = { vocabulary: 29, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 };

/** Documents of a word of their own, which is two sentences. */
const documents: EncodedDocuments = Array.from({ length: 24 }, (_, i) => [Int32Array.of(5 + i), Int32Array.of(5 + i)]);
const texts = maskedTexts({
  ...{ groups: [documents], ids, batchSize: 24, context: 5 },
  random: (...path) => randomStream(3, ...path),
});

const networkOf = (dropout = 0) =>
  bert({ vocabulary: 29, context: 5, dim: 32, depth: 1, heads: 2, hidden: 64, dropout, seed: 1 });
const trainerOf = (network: ReturnType<typeof bert>) =>
  new Trainer(maskedLanguage(network), { groups: weightsAndBiases(adam()), seed: 1 });

describe("BERT", () => {
  it("learns words and what follows by heart, and leaks nothing", async () => {
    const before = tf.memory().numTensors;
    const network = networkOf();
    const trainer = trainerOf(network);
    const first = await evaluateMasked(network, texts.epoch(0));
    expect(first.words.loss).toBeCloseTo(Math.log(29), 0);
    expect(first.next.loss).toBeCloseTo(Math.log(2), 1);
    let tensors = 0;
    for (let step = 0; step < 50; step++) {
      for await (const batch of texts.epoch(0)) {
        const { loss, items, metrics } = await trainer.takeStep([batch], 0.01);
        expect(items).toBe(24 * 5);
        expect((metrics.words + metrics.next) / items).toBeCloseTo(loss, 4);
      }
      if (step === 1) tensors = tf.memory().numTensors;
    }
    const last = await evaluateMasked(network, texts.epoch(0));
    expect(tf.memory().numTensors).toBe(tensors);
    expect([last.words.count, last.next.count]).toEqual([24, 24]);
    expect(last.words.loss).toBeLessThan(1);
    expect(last.words.accuracy).toBeGreaterThan(0.8);
    expect(last.next.loss).toBeLessThan(0.2);
    expect(last.next.accuracy).toBeGreaterThan(0.9);
    trainer.dispose();
    disposeBert(network);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("goes on to equal bits", async () => {
    const steps = async (trainer: ReturnType<typeof trainerOf>, from: number, to: number) => {
      for (let epoch = from; epoch < to; epoch++) {
        for await (const batch of texts.epoch(epoch)) await trainer.takeStep([batch], 0.01);
      }
    };
    const [whole, resumed] = [networkOf(0.2), networkOf(0.2)];
    const [trainer, other] = [trainerOf(whole), trainerOf(resumed)];
    await steps(trainer, 0, 2);
    other.restore(await trainer.state(), trainer.step);
    await steps(trainer, 2, 4);
    await steps(other, 2, 4);
    expect(await other.state()).toEqual(await trainer.state());
    for (const each of [trainer, other]) each.dispose();
    for (const network of [whole, resumed]) disposeBert(network);
  });
});
