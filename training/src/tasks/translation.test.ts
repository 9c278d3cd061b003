import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { bucketedPairs, type EncodedPairs, evaluationPairs } from "@tfjs-zoo/datasets";
import { randomStream, seq2seq, type Translator, t5Translator, transformer, translatorOf } from "@tfjs-zoo/models";
import { registerWasmKernels } from "@tfjs-zoo/models/kernels/wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { Trainer } from "../loop/trainer.ts";
import { adam, weightsAndBiases } from "../optim/index.ts";
import { translateIds } from "./translate.ts";
import { predicted, translation, translationLoss } from "./translation.ts";

beforeAll(async () => {
  registerWasmKernels();
  await tf.setBackend("wasm");
});

const ids = { pad: 0, bos: 1, eos: 2 };
const random = (...path: (string | number)[]) => randomStream(3, ...path);

/** A language whose translation says everything twice as high: 3 becomes 7, up to 6, which becomes 10. */
function pairsOf(count: number): EncodedPairs {
  const stream = random("pairs");
  const source = Array.from({ length: count }, () =>
    Int32Array.from({ length: 1 + stream.integer(4) }, () => 3 + stream.integer(4)),
  );
  return {
    source: source.map((s) => Int32Array.from([...s, ids.eos])),
    target: source.map((s) => s.map((id) => id + 4)),
  };
}

const small = { sourceVocabulary: 11, targetVocabulary: 11, units: 16, dropout: 0, seed: 1 };

const networks: [name: string, build: () => Translator, learningRate?: number][] = [
  [
    "a Transformer",
    () =>
      translatorOf(
        transformer({ ...small, heads: 2, encoderLayers: 1, decoderLayers: 1, hidden: 32, norm: "pre", tied: true }),
      ),
    0.01,
  ],
  [
    "a T5",
    () => t5Translator({ ...small, heads: 2, headUnits: 8, encoderLayers: 1, decoderLayers: 1, hidden: 32 }),
    0.01,
  ],
  ["seq2seq", () => seq2seq({ ...small, embedding: 8 })],
  [
    "seq2seq of GRUs in two layers, with dot scores and input feeding",
    () => seq2seq({ ...small, embedding: 8, cell: "gru", encoderLayers: 2, style: "luong", score: "dot" }),
  ],
  [
    "seq2seq that looks behind its step",
    () => seq2seq({ ...small, embedding: 8, style: "luong", inputFeeding: false, readout: "state", bridge: false }),
  ],
];

describe.each(networks)("translation by %s", (_, network, learningRate = 0.02) => {
  it("learns, translates what it has learned, and leaks nothing", async () => {
    const pairs = pairsOf(64);
    const translator = network();
    const trainer = new Trainer(translation(translator), { groups: weightsAndBiases(adam()), seed: 1 });
    const data = bucketedPairs({ pairs, ids, batchSize: 32, random });
    const measure = () => translationLoss(translator, evaluationPairs({ pairs, ids, batchSize: 16 }));
    const before = await measure();
    let held = 0;
    for (let epoch = 0; epoch < 60; epoch++) {
      for await (const batch of data.epoch(epoch)) {
        const { items } = await trainer.takeStep([batch], learningRate);
        expect(items).toBe(predicted(batch));
      }
      if (epoch === 1) held = tf.memory().numTensors;
    }
    expect(tf.memory().numTensors).toBe(held);
    const after = await measure();
    expect(before.tokens).toBe(pairs.target.reduce((sum, target) => sum + target.length + 1, 0));
    expect(after.loss).toBeLessThan(before.loss / 6);

    const rows = await translateIds(translator, pairs.source, ids, { beams: 2 });
    const right = rows.filter(({ results }, i) => results[0].tokens.join() === pairs.target[i].join());
    expect(right.length).toBeGreaterThan(40);
    expect(tf.memory().numTensors).toBe(held);
    trainer.dispose();
    translator.dispose();
  });

  it("padding changes nothing", async () => {
    const pairs = pairsOf(20);
    const translator = network();
    const [alone, together] = await Promise.all(
      [1, 20].map((batchSize) => translationLoss(translator, evaluationPairs({ pairs, ids, batchSize }))),
    );
    expect(together.tokens).toBe(alone.tokens);
    expect(together.loss).toBeCloseTo(alone.loss, 5);
    translator.dispose();
  });
});

it("scheduled sampling gives a network its own tokens, the same for the same step", async () => {
  const pairs = pairsOf(16);
  const translator = seq2seq({ ...small, embedding: 8 });
  const task = (scheduledSampling: number) => translation(translator, { scheduledSampling });
  for await (const batch of evaluationPairs({ pairs, ids, batchSize: 16 })) {
    const given = (rate: number, step: number) => {
      const own = task(rate);
      own.seed(1, step);
      const inputs = own.upload(batch, "translator");
      const target = inputs.target.arraySync();
      tf.dispose(inputs);
      return target;
    };
    const before = tf.memory().numTensors;
    const [none, half, all] = [0, 0.5, 1].map((rate) => given(rate, 3));
    expect(tf.memory().numTensors).toBe(before);
    expect(half).toEqual(given(0.5, 3));
    expect(half).not.toEqual(given(0.5, 4));
    expect(all.map(([first]) => first)).toEqual(none.map(() => ids.bos));
    const changed = (target: number[][]) => target.flat().filter((id, i) => id !== none.flat()[i]).length;
    expect(changed(half)).toBeGreaterThan(0);
    expect(changed(half)).toBeLessThan(changed(all));
  }
  translator.dispose();
});
