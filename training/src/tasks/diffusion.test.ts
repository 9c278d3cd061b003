import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "@tfjs-zoo/datasets";
import {
  dpmSolverSample,
  minSnrWeight,
  noiseSchedule,
  type Prediction,
  predictions,
  randomStream,
  type UnetOptions,
  unet,
  unetDenoiser,
} from "@tfjs-zoo/models";
import { registerWasmKernels } from "@tfjs-zoo/models/kernels/wasm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Trainer } from "../loop/trainer.ts";
import { adam, weightsAndBiases } from "../optim/index.ts";
import { type DiffusionOptions, diffusion, evaluateDiffusion } from "./diffusion.ts";
import { evaluateBits } from "./diffusion-bits.ts";
import type { DiffusionInfo } from "./diffusion-weights.ts";

beforeAll(async () => {
  registerWasmKernels();
  await tf.setBackend("wasm");
});

const SHAPE = [4, 4, 1] as const;
const schedule = noiseSchedule("cosine", 100);

/** Images that are light (class 0) or dark (class 1), with a little noise. */
function batchOf(index: number, size = 32): Batch {
  const random = randomStream(4, "batch", index);
  const labels = Int32Array.from({ length: size }, () => random.integer(2));
  const images = Float32Array.from(
    { length: size * 16 },
    (_, i) => (labels[Math.floor(i / 16)] === 0 ? 0.6 : -0.6) + 0.05 * random.normal(),
  );
  return { images, labels, size, indices: new Int32Array(size) };
}

async function* held(): AsyncGenerator<Batch> {
  for (const index of [1000, 1001]) yield batchOf(index, 64);
}

const networkOf = (options: UnetOptions = {}) =>
  unet({
    ...{ imageShape: SHAPE, channels: 8, multipliers: [1, 2], blocks: 1, attentionResolutions: [], groups: 4 },
    ...{ classes: 2, dropout: 0, seed: 1, ...options },
  });

const trainerOf = (network: ReturnType<typeof unet>, options: Partial<DiffusionOptions> = {}) =>
  new Trainer(diffusion(network, SHAPE, { schedule, ...options }), {
    groups: weightsAndBiases(adam()),
    clipNorm: 1,
    seed: 1,
  });

async function learn(trainer: ReturnType<typeof trainerOf>, from: number, to: number): Promise<void> {
  for (let step = from; step < to; step++) {
    const { items } = await trainer.takeStep([batchOf(step)], 0.01 * Math.min(1, (step + 1) / 10));
    expect(items).toBe(32);
  }
}

describe.each<[Prediction, number | undefined]>([
  ["epsilon", undefined],
  ["x0", 5],
  ["v", 5],
])("diffusion that predicts %s, with min-SNR %s", (prediction, minSnr) => {
  it("learns, and leaks nothing", async () => {
    const before = tf.memory().numTensors;
    const network = networkOf();
    const trainer = trainerOf(network, { prediction, minSnr });
    const evaluate = () => evaluateDiffusion(network, SHAPE, held(), { schedule, prediction, seed: 2 });
    const first = await evaluate();
    expect(await evaluate()).toEqual(first);
    await learn(trainer, 0, 2);
    const tensors = tf.memory().numTensors;
    await learn(trainer, 2, 20);
    const last = await evaluate();
    expect(last.images).toBe(128);
    expect(last.loss).toBeLessThan(0.7 * first.loss);
    expect(tf.memory().numTensors).toBe(tensors);
    trainer.dispose();
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("a network that has learned", () => {
  let network: ReturnType<typeof unet>;
  beforeAll(async () => {
    network = networkOf();
    const trainer = trainerOf(network, { prediction: "v", minSnr: 5 });
    await learn(trainer, 0, 100);
    trainer.dispose();
  });
  afterAll(() => network.dispose());

  it("makes images of the class that it is asked for", async () => {
    const sampled = await dpmSolverSample({
      ...{ denoise: unetDenoiser(network), schedule, prediction: "v", steps: 10 },
      ...{ shape: [4, ...SHAPE], random: (...path) => randomStream(3, ...path) },
      guidance: { labels: [0, 0, 1, 1], classes: 2, strength: 0.5 },
    });
    const means = tf.tidy(() => tf.mean(sampled, [1, 2, 3]).dataSync());
    for (const mean of [means[0], means[1], -means[2], -means[3]]) expect(mean).toBeGreaterThan(0.2);
    sampled.dispose();
  });

  it("takes fewer bits for images with their class than with another, by some times about as many as by all", async () => {
    const info: DiffusionInfo = {
      ...{ model: "ddpm", dataset: "shades", inputShape: SHAPE, noise: "cosine", times: 100, prediction: "v" },
    };
    async function* batches(told: (label: number) => number) {
      for (const index of [1000, 1001]) {
        const batch = batchOf(index, 12);
        yield { ...batch, labels: batch.labels.map(told) };
      }
    }
    const bitsOf = (times: number, told = (label: number) => label) =>
      evaluateBits(network, info, batches(told), 24, { times, seed: 1 });
    const before = tf.memory().numTensors;
    const whole = await bitsOf(99);
    const some = await bitsOf(50);
    expect(tf.memory().numTensors).toBe(before);
    expect([whole.images, whole.times, some.times]).toEqual([24, 100, 51]);
    expect(await bitsOf(50)).toEqual(some);
    expect(whole.error).toBeGreaterThan(0);
    expect(Math.abs(some.bits / whole.bits - 1)).toBeLessThan(0.1);
    expect((await bitsOf(50, (label) => 1 - label)).bits).toBeGreaterThan(1.1 * some.bits);
  });
});

describe("the task", () => {
  it.each(predictions)("gives every weight a gradient, where %s is predicted", async (prediction) => {
    const before = tf.memory().numTensors;
    const network = networkOf({ attentionResolutions: [2] });
    const task = diffusion(network, SHAPE, { schedule, prediction, dropClass: 0.5 });
    task.seed(1, 0);
    const inputs = task.upload(batchOf(0), "diffusion");
    const variables = network.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const { value, grads } = tf.variableGrads(() => task.updates[0].loss(inputs).loss, variables);
    for (const [i, { originalName, shape }] of network.trainableWeights.entries()) {
      const gradient = [...(await grads[variables[i].name].data())];
      expect(gradient.every(Number.isFinite), originalName).toBe(true);
      // A key's bias adds the same to all of a query's scores, and the softmax does not see it.
      if (!originalName.endsWith(".k/bias"))
        expect(
          gradient.some((g) => g !== 0),
          originalName,
        ).toBe(true);
      if (originalName.startsWith("label_emb/")) {
        const width = shape[1] as number;
        for (const kind of [0, 1, 2])
          expect(gradient.slice(kind * width, (kind + 1) * width).some((g) => g !== 0)).toBe(true);
      }
    }
    tf.dispose([inputs, value, grads]);
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("hides the class of a share of the images, and shows the rest with theirs", () => {
    const network = networkOf();
    const batch = batchOf(0, 2000);
    for (const [dropClass, share] of [
      [undefined, 0.1],
      [0, 0],
      [1, 1],
    ] as const) {
      const task = diffusion(network, SHAPE, { schedule, dropClass });
      task.seed(1, 0);
      const inputs = task.upload(batch, "diffusion");
      const classes = [...inputs.given[2].dataSync()];
      const hidden = classes.filter((kind) => kind === 2).length;
      expect(Math.abs(hidden / 2000 - share)).toBeLessThan(3 * Math.sqrt((share * (1 - share)) / 2000) + 1e-9);
      expect(classes.every((kind, n) => kind === 2 || kind === batch.labels[n])).toBe(true);
      tf.dispose(inputs);
    }
    network.dispose();
  });

  it("draws all times, and others in every step and micro-batch", () => {
    const network = networkOf({ classes: undefined });
    const task = diffusion(network, SHAPE, { schedule });
    const timesOf = (size = 8) => {
      const inputs = task.upload(batchOf(0, size), "diffusion");
      expect(inputs.given).toHaveLength(2);
      const times = [...inputs.given[1].dataSync()];
      tf.dispose(inputs);
      return times;
    };
    task.seed(1, 0);
    const [first, second] = [timesOf(), timesOf()];
    expect(second).not.toEqual(first);
    task.seed(1, 1);
    expect(timesOf()).not.toEqual(first);
    task.seed(1, 0);
    expect([timesOf(), timesOf()]).toEqual([first, second]);
    const many = timesOf(5000);
    expect(new Set(many).size).toBe(100);
    expect(many.every((t) => Number.isInteger(t) && t >= 0 && t < 100)).toBe(true);
    network.dispose();
  });

  it("weighs the error of every image by its time when asked", () => {
    const network = networkOf();
    const lossOf = (minSnr?: number) => {
      const task = diffusion(network, SHAPE, { schedule, minSnr });
      task.seed(1, 0);
      const inputs = task.upload(batchOf(0, 1), "diffusion");
      const loss = tf.tidy(() => task.updates[0].loss(inputs).loss.dataSync()[0]);
      const [t] = inputs.given[1].dataSync();
      tf.dispose(inputs);
      return { loss, t };
    };
    const { loss, t } = lossOf();
    expect(lossOf(0.01).loss / loss).toBeCloseTo(minSnrWeight("epsilon", schedule, t, 0.01), 5);
    network.dispose();
  });

  it("goes on to equal bits", async () => {
    const [whole, resumed] = [networkOf({ dropout: 0.2 }), networkOf({ dropout: 0.2 })];
    const [trainer, other] = [trainerOf(whole), trainerOf(resumed)];
    const steps = async (trainer: ReturnType<typeof trainerOf>, from: number, to: number) => {
      for (let step = from; step < to; step++)
        await trainer.takeStep([batchOf(2 * step, 4), batchOf(2 * step + 1, 4)], 0.01);
    };
    await steps(trainer, 0, 2);
    other.restore(await trainer.state(), trainer.step);
    await steps(trainer, 2, 4);
    await steps(other, 2, 4);
    expect(await other.state()).toEqual(await trainer.state());
    for (const each of [trainer, other]) each.dispose();
    for (const network of [whole, resumed]) network.dispose();
  });

  it.each<[Partial<DiffusionOptions>, string]>([
    [{ minSnr: 0 }, "diffusion got a min-SNR of 0; expected a positive number, such as 5"],
    [{ dropClass: 2 }, "diffusion got the share 2 of images without their class; expected 0 to 1"],
  ])("refuses %j in one line", (wrong, message) => {
    const network = networkOf();
    expect(() => diffusion(network, SHAPE, { schedule, ...wrong })).toThrow(message);
    network.dispose();
  });
});
