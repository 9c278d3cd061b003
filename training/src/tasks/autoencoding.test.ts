import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "@tfjs-zoo/datasets";
import { randomStream, vae } from "@tfjs-zoo/models";
import { beforeAll, describe, expect, it } from "vitest";
import { Trainer } from "../loop/trainer.ts";
import { adam, weightsAndBiases } from "../optim/index.ts";
import {
  type AutoencodingOptions,
  autoencoding,
  evaluateAutoencoder,
  evaluateImportanceBound,
} from "./autoencoding.ts";

const shape = [4, 4, 1] as const;
const SIZE = 32;

/** Images of two kinds: bright on the left, or on the right. */
const batch: Batch = {
  images: Float32Array.from({ length: SIZE * 16 }, (_, i) => (i % 4 < 2 === Math.floor(i / 16) % 2 < 1 ? 0.95 : 0.05)),
  labels: new Int32Array(SIZE),
  size: SIZE,
  indices: new Int32Array(SIZE),
};
const network = (options = {}) => vae({ inputShape: shape, hidden: [12], latent: 2, ...options });
async function* once(): AsyncGenerator<Batch> {
  yield batch;
}

beforeAll(() => tf.setBackend("cpu"));

describe("an autoencoder", () => {
  it.each<[string, Partial<AutoencodingOptions>, object]>([
    ["grey pixels", {}, {}],
    ["binary pixels and several draws", { draws: 4, binarise: true }, {}],
    ["normal pixels, their variance too", {}, { likelihood: "gaussian" }],
  ])("learns %s, and leaves nothing behind", async (_, options, kind) => {
    const before = tf.memory().numTensors;
    const model = network(kind);
    const groups = weightsAndBiases(adam(), { weightDecay: 0 });
    const trainer = new Trainer(autoencoding(model, { shape, ...options }), { groups, seed: 1 });
    const losses: number[] = [];
    let held = 0;
    for (let step = 0; step < 60; step++) {
      losses.push((await trainer.takeStep([batch], 0.02)).loss);
      if (step === 1) held = tf.memory().numTensors;
    }
    expect(tf.memory().numTensors).toBe(held);
    expect(losses.at(-1)).toBeLessThan(losses[0] - 4);
    trainer.dispose();
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("draws by the seed and the step alone, so that a step can be taken again", () => {
    const model = network();
    const task = autoencoding(model, { shape, binarise: true });
    const drawn = (seed: number, step: number) => {
      task.seed(seed, step);
      const { images, noise } = task.upload(batch, "VAE");
      const values = [...images.dataSync(), ...noise.dataSync()];
      tf.dispose([images, noise]);
      return values;
    };
    expect(drawn(3, 5)).toEqual(drawn(3, 5));
    expect(drawn(3, 5)).not.toEqual(drawn(3, 6));
    expect(new Set(drawn(3, 5).slice(0, SIZE * 16))).toEqual(new Set([0, 1]));
    model.dispose();
  });

  it("weighs the KL divergence up to beta over the warm-up", () => {
    const model = network();
    const task = autoencoding(model, { shape, beta: 4, klWarmup: 8 });
    const weights = [0, 3, 7, 20].map((step) => {
      task.seed(0, step);
      const { images, noise, klWeight } = task.upload(batch, "VAE");
      tf.dispose([images, noise]);
      return klWeight;
    });
    expect(weights).toEqual([0.5, 2, 4, 4]);
    model.dispose();
  });
});

describe("its bounds", () => {
  it("come closer to -log p(x) with more draws, as one integral over z says", async () => {
    const model = network({ latent: 1, seed: 3 });
    const bounds: number[] = [];
    for (const draws of [1, 10, 400]) {
      bounds.push((await evaluateImportanceBound(model, shape, once(), { draws, seed: 2 })).nll);
    }
    expect(bounds[1]).toBeLessThan(bounds[0]);
    expect(bounds[2]).toBeLessThan(bounds[1] + 0.01);
    expect(Math.abs(bounds[2] - (await integrated(model)))).toBeLessThan(0.05);
    model.dispose();
  });

  it("is that of the evidence with one draw, on average", async () => {
    const model = network({ seed: 5 });
    const grey = await evaluateAutoencoder(model, shape, once());
    expect(grey.loss).toBeCloseTo(grey.reconstruction + grey.kl, 10);
    expect(grey.images).toBe(SIZE);
    let sum = 0;
    for (let seed = 0; seed < 20; seed++) {
      sum += (await evaluateImportanceBound(model, shape, once(), { draws: 1, binarise: false, seed })).nll;
    }
    expect(Math.abs(sum / 20 - grey.loss)).toBeLessThan(0.25);
    model.dispose();
  });

  it("are the same every time, and leave nothing behind", async () => {
    const model = network();
    const before = tf.memory().numTensors;
    const first = await evaluateAutoencoder(model, shape, once(), { binarise: true });
    expect(await evaluateAutoencoder(model, shape, once(), { binarise: true })).toEqual(first);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});

/** −log ∫ p(x|z) p(z) dz of the binary images that the bound was given, mean, by a sum over z from −6 to 6. */
async function integrated(model: ReturnType<typeof network>): Promise<number> {
  const random = randomStream(2, "held out", "binarise", 0);
  const x = batch.images.map((grey) => (random.uniform() < grey ? 1 : 0));
  const places = Array.from({ length: 601 }, (_, i) => -6 + i * 0.02);
  const logits = tf.tidy(() => model.decode.apply(tf.tensor2d(places, [places.length, 1])) as tf.Tensor);
  const values = await logits.data(); // [601, 16]
  logits.dispose();
  let sum = 0;
  for (let n = 0; n < SIZE; n++) {
    let probability = 0;
    for (const [i, z] of places.entries()) {
      let log = -0.5 * (z * z + Math.log(2 * Math.PI));
      for (let p = 0; p < 16; p++) {
        const logit = values[i * 16 + p];
        log -= Math.log1p(Math.exp(x[n * 16 + p] === 1 ? -logit : logit));
      }
      probability += 0.02 * Math.exp(log);
    }
    sum -= Math.log(probability);
  }
  return sum / SIZE;
}
