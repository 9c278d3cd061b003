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

const ids: BertIds = { vocabulary: 21, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 };

/** Documents of a word of their own, which is all that their sentences say. */
const documents: EncodedDocuments = Array.from({ length: 16 }, (_, i) =>
  Array.from({ length: 8 }, () => Int32Array.of(5 + i, 5 + i)),
);
const textsOf = (seed: number) =>
  maskedTexts({
    ...{ groups: [documents], ids, batchSize: 64, context: 7 },
    random: (...path) => randomStream(seed, ...path),
  });
const texts = textsOf(3);

const networkOf = (dropout = 0) =>
  bert({ vocabulary: 21, context: 7, dim: 32, depth: 1, heads: 4, hidden: 64, dropout, seed: 1 });
const trainerOf = (network: ReturnType<typeof bert>) =>
  new Trainer(maskedLanguage(network), { groups: weightsAndBiases(adam()), seed: 1 });

describe("BERT", () => {
  it("learns words and what follows, and leaks nothing", async () => {
    const before = tf.memory().numTensors;
    const network = networkOf();
    const trainer = trainerOf(network);
    const held = textsOf(4);
    const first = await evaluateMasked(network, held.epoch(0));
    expect(first.words.loss).toBeCloseTo(Math.log(21), 0);
    expect(first.next.loss).toBeCloseTo(Math.log(2), 1);
    let tensors = 0;
    for (let step = 0; step < 150; step++) {
      for await (const batch of texts.epoch(step)) {
        const { loss, items, metrics } = await trainer.takeStep([batch], 0.004 * Math.min(1, (step + 1) / 50));
        expect(items).toBe(64 * 7);
        expect((metrics.words + metrics.next) / items).toBeCloseTo(loss, 4);
      }
      if (step === 1) tensors = tf.memory().numTensors;
    }
    const last = await evaluateMasked(network, held.epoch(0));
    expect(tf.memory().numTensors).toBe(tensors);
    expect([last.words.count, last.next.count]).toEqual([64, 64]);
    expect(last.words.loss).toBeLessThan(first.words.loss / 2);
    expect(last.words.accuracy).toBeGreaterThan(0.6);
    expect(last.next.loss).toBeLessThan(0.4);
    expect(last.next.accuracy).toBeGreaterThan(0.85);
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
