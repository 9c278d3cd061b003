import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { evaluationTexts, labelledBatches } from "@tfjs-zoo/datasets";
import { bertClassifier, randomStream } from "@tfjs-zoo/models";
import { registerWasmKernels } from "@tfjs-zoo/models/kernels/wasm";
import { trainWordPiece } from "@tfjs-zoo/models/text";
import { beforeAll, describe, expect, it } from "vitest";
import { Trainer } from "../loop/trainer.ts";
import { adam, weightsAndBiases } from "../optim/index.ts";
import { bertIds, bertText, cutTo } from "./bert-texts.ts";
import { evaluateTexts, textClassification } from "./text-classification.ts";

beforeAll(async () => {
  registerWasmKernels();
  await tf.setBackend("wasm");
});

/** Texts of one to five words, which are of class 0 where they begin with a 5, of class 1 with a 6, of class 2 with a 7. */
const texts = Array.from({ length: 36 }, (_, i) => {
  const draws = randomStream(1, "text", i);
  return Int32Array.from([2, 5 + (i % 3), ...Array.from({ length: i % 5 }, () => 8 + draws.integer(4)), 3]);
});
const set = { texts, labels: Int32Array.from(texts, (_, i) => i % 3) };

describe("a classifier of texts", () => {
  it("learns, and leaks nothing", async () => {
    const before = tf.memory().numTensors;
    const sizes = { vocabulary: 12, context: 8, dim: 16, depth: 1, heads: 2, hidden: 32, dropout: 0.1 };
    const model = bertClassifier({ ...sizes, classes: 3, seed: 1 });
    const batches = labelledBatches({ set, pad: 0, batchSize: 18, random: (...path) => randomStream(3, ...path) });
    const trainer = new Trainer(textClassification(model), { groups: weightsAndBiases(adam()), seed: 1 });
    const measured = () => evaluateTexts(model, evaluationTexts({ set, pad: 0, batchSize: 10 }));
    const first = await measured();
    expect(first.loss).toBeCloseTo(Math.log(3), 1);
    let tensors = 0;
    for (let epoch = 0; epoch < 20; epoch++) {
      for await (const batch of batches.epoch(epoch)) {
        const { items, metrics } = await trainer.takeStep([batch], 0.01);
        expect(items).toBe(18);
        expect(Number.isInteger(metrics.correct)).toBe(true);
      }
      if (epoch === 1) tensors = tf.memory().numTensors;
    }
    const done: number[] = [];
    const last = await evaluateTexts(model, evaluationTexts({ set, pad: 0, batchSize: 10 }), (n) => done.push(n));
    expect(tf.memory().numTensors).toBe(tensors);
    expect(done).toEqual([10, 20, 30, 36]);
    expect(last.accuracy).toBe(1);
    expect(last.loss).toBeLessThan(0.2);
    expect(last.confusion).toEqual([
      [12, 0, 0],
      [0, 12, 0],
      [0, 0, 12],
    ]);
    trainer.dispose();
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("BERT's texts", () => {
  const tokenizer = trainWordPiece(["a cat. a cat."], 30);
  const ids = bertIds(tokenizer);
  const shown = (row: Int32Array) => [...row].map((id) => tokenizer.tokenOf(id)).join(" ");

  it("begin with [CLS] and end with [SEP], and have special tokens where asked for alone", () => {
    expect(shown(bertText("A cat.", tokenizer, ids))).toBe("[CLS] a cat . [SEP]");
    expect(shown(bertText("[MASK] cat", tokenizer, ids, { special: true }))).toBe("[CLS] [MASK] cat [SEP]");
    expect(bertText("[MASK]", tokenizer, ids)).not.toContain(ids.mask);
  });

  it("lose words at their end where they are too long", () => {
    const row = bertText("a cat. a cat.", tokenizer, ids);
    expect(cutTo(8, row)).toBe(row);
    expect(shown(cutTo(5, row))).toBe("[CLS] a cat . [SEP]");
  });
});
