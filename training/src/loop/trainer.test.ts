import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { Batch } from "@tfjs-zoo/datasets";
import { initialize, layers, lecunUniform, randomStream } from "@tfjs-zoo/models";
import { beforeAll, describe, expect, it } from "vitest";
import { sgd, weightsAndBiases } from "../optim/index.ts";
import { constant } from "../schedules/schedule.ts";
import { classification, evaluate } from "../tasks/classification.ts";
import { type EpochEvent, type FitOptions, fit, type Position } from "./fit.ts";
import { Trainer, type TrainerOptions } from "./trainer.ts";

beforeAll(() => tf.setBackend("cpu"));

const shape = [4, 4, 1] as const;

function model(): tfl.LayersModel {
  const images = tfl.input({ shape: [...shape] });
  const flat = new layers.Flatten({ name: "flatten" }).apply(images);
  const logits = new layers.Dense({ name: "fc", units: 3 }).apply(flat) as tfl.SymbolicTensor;
  return initialize(tfl.model({ inputs: images, outputs: logits }), 1, { conv: lecunUniform, dense: lecunUniform });
}

/** Images whose class is which third of them is bright. */
function batch(size: number, n: number): Batch {
  const random = randomStream("batch", n);
  const labels = Int32Array.from({ length: size }, () => random.integer(3));
  const images = Float32Array.from({ length: size * 16 }, (_, i) => {
    const label = labels[Math.floor(i / 16)];
    return random.normal() / 4 + (Math.floor((i % 16) / 5) === label ? 1 : 0);
  });
  return { images, labels, size, indices: Int32Array.from(labels.keys()) };
}

const trainerOf = (net: tfl.LayersModel, options: Partial<TrainerOptions> = {}) =>
  new Trainer(classification(net, shape), { groups: weightsAndBiases(sgd()), seed: 1, ...options });

const weightsOf = (net: tfl.LayersModel) => net.weights.flatMap((weight) => [...weight.read().dataSync()]);

const source = {
  batchesPerEpoch: 6,
  async *epoch(epoch: number, first: number) {
    for (let n = first; n < 6; n++) yield batch(8, 10 * epoch + n);
  },
};

const fitOptions = (options: Partial<FitOptions<Batch>> = {}): FitOptions<Batch> => ({
  data: source,
  epochs: 3,
  learningRate: 0.1,
  schedule: constant,
  ...options,
});

describe("Trainer", () => {
  it("learns", async () => {
    const net = model();
    const trainer = trainerOf(net);
    const first = await trainer.takeStep([batch(32, 0)], 0.1);
    for (let n = 1; n < 40; n++) await trainer.takeStep([batch(32, n)], 0.1);
    const last = await trainer.takeStep([batch(32, 99)], 0.1);
    expect(last.loss).toBeLessThan(first.loss / 5);
    expect(last.metrics.correct).toBeGreaterThan(30);
    const { accuracy, images, loss } = await evaluate(
      net,
      shape,
      (async function* () {
        yield batch(20, 1000);
        yield batch(7, 1001);
      })(),
    );
    expect(images).toBe(27);
    expect(accuracy).toBeGreaterThan(0.9);
    expect(loss).toBeLessThan(0.3);
  });

  it("leaks no tensors", async () => {
    const trainer = trainerOf(model(), {
      groups: weightsAndBiases(sgd(), { weightDecay: 1e-3 }),
      ema: 0.9,
      clipNorm: 0.1,
    });
    await trainer.takeStep([batch(8, 0)], 0.1);
    const before = tf.memory().numTensors;
    for (let n = 1; n < 12; n++) await trainer.takeStep([batch(8, n), batch(8, n + 50)], 0.1);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("takes the same step from micro-batches as from the whole batch", async () => {
    const [whole, parts] = [model(), model()];
    const all = batch(12, 3);
    const part = (from: number, to: number): Batch => ({
      images: all.images.slice(from * 16, to * 16),
      labels: all.labels.slice(from, to),
      size: to - from,
      indices: all.indices.slice(from, to),
    });
    const a = await trainerOf(whole).takeStep([all], 0.1);
    const b = await trainerOf(parts).takeStep([part(0, 4), part(4, 12)], 0.1);
    expect(b.loss).toBeCloseTo(a.loss, 5);
    expect(b.metrics.correct).toBe(a.metrics.correct);
    expect(b.gradientNorm).toBeCloseTo(a.gradientNorm, 5);
    weightsOf(parts).forEach((w, i) => {
      expect(w).toBeCloseTo(weightsOf(whole)[i], 5);
    });
  });

  it("counts both labels of mixed images by their shares", async () => {
    const given = batch(8, 0);
    const others = given.labels.map((label) => (label + 1) % 3);
    const lossOf = async (b: Batch) => (await trainerOf(model()).takeStep([b], 0.1)).loss;
    const mixed = await lossOf({ ...given, mixed: { labels: others, share: 0.7 } });
    expect(mixed).toBeCloseTo(0.7 * (await lossOf(given)) + 0.3 * (await lossOf({ ...given, labels: others })), 5);
  });

  it("counts the labels and the teacher by their shares, and learns from the teacher alone with weight 1", async () => {
    const random = randomStream("teacher");
    const weights = Float32Array.from({ length: 48 }, () => 2 * random.normal());
    const logits = (images: tf.Tensor4D): tf.Tensor2D =>
      tf.tidy(() => tf.matMul(tf.reshape(images, [-1, 16]), tf.tensor2d(weights, [16, 3])));
    const task = (net: tfl.LayersModel, weight: number) =>
      new Trainer(classification(net, shape, { teacher: { logits, temperature: 4, weight } }), {
        groups: weightsAndBiases(sgd()),
        seed: 1,
      });
    const lossOf = async (weight: number) => (await task(model(), weight).takeStep([batch(8, 0)], 0.1)).loss;
    const [labels, distance] = [await lossOf(0), await lossOf(1)];
    expect(labels).toBeCloseTo((await trainerOf(model()).takeStep([batch(8, 0)], 0.1)).loss, 6);
    expect(await lossOf(0.25)).toBeCloseTo(0.75 * labels + 0.25 * distance, 5);

    const net = model();
    const trainer = task(net, 1);
    await trainer.takeStep([batch(32, 0)], 0.1);
    const before = tf.memory().numTensors;
    for (let n = 1; n < 60; n++) await trainer.takeStep([batch(32, n)], 0.1);
    expect(tf.memory().numTensors).toBe(before);
    const { loss } = await trainer.takeStep([batch(32, 99)], 0.1);
    expect(loss).toBeLessThan(distance / 20);
    const { images, labels: is } = batch(64, 7);
    const said = (z: tf.Tensor) => [...tf.argMax(z, -1).dataSync()];
    const x = tf.tensor4d(images, [64, ...shape]);
    const agree = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).filter((k, i) => k === b[i]).length;
    expect(agree(said(net.apply(x) as tf.Tensor), said(logits(x)))).toBeGreaterThan(55);
    expect(agree(said(logits(x)), is)).toBeLessThan(50);
  });

  it("clips the gradient to a norm", async () => {
    const net = model();
    const before = weightsOf(net);
    const groups = weightsAndBiases(sgd({ momentum: 0 }));
    const { gradientNorm } = await trainerOf(net, { groups, clipNorm: 0.01 }).takeStep([batch(8, 0)], 1);
    const moved = Math.hypot(...weightsOf(net).map((w, i) => w - before[i]));
    expect(gradientNorm).toBeGreaterThan(0.01);
    expect(moved).toBeCloseTo(0.01, 5);
  });

  it("decays weights and leaves biases alone", async () => {
    const net = model();
    const bias = net.weights[1];
    bias.write(tf.ones([3]));
    const before = [...net.weights[0].read().dataSync()];
    const still: Batch = { ...batch(3, 0), images: new Float32Array(48), labels: Int32Array.of(0, 1, 2) };
    const groups = weightsAndBiases(sgd({ momentum: 0 }), { weightDecay: 0.5 });
    await trainerOf(net, { groups }).takeStep([still], 0.1);
    // No pixel, so no gradient but decay; equal biases and one image a class, so none for the biases.
    net.weights[0]
      .read()
      .dataSync()
      .forEach((w, i) => {
        expect(w).toBeCloseTo(0.95 * before[i], 6);
      });
    for (const b of bias.read().dataSync()) expect(b).toBeCloseTo(1, 6);
  });

  it("moves each group of weights by its own optimizer and learning rate", async () => {
    const [together, apart] = [model(), model()];
    const before = weightsOf(together);
    await trainerOf(together, { groups: weightsAndBiases(sgd()) }).takeStep([batch(8, 0)], 0.1);
    await trainerOf(apart, { groups: weightsAndBiases(sgd(), { biasFactor: 3 }) }).takeStep([batch(8, 0)], 0.1);
    const moves = [together, apart].map((net) => weightsOf(net).map((w, i) => w - before[i]));
    const weights = 16 * 3;
    moves[0].forEach((move, i) => {
      expect(moves[1][i]).toBeCloseTo(i < weights ? move : 3 * move, 6);
    });
  });

  it("refuses a state of another optimizer, and leaves all as it was", async () => {
    const net = model();
    const trainer = trainerOf(net);
    const before = weightsOf(net);
    const { "classifier.all.momentum": _, ...state } = await trainerOf(model()).state();
    state.weights.fill(7);
    expect(() => trainer.restore(state, 3)).toThrow(
      'the checkpoint has no numbers of "classifier.all.momentum", expected 51: another version of the zoo made it; start a new run',
    );
    expect(weightsOf(net)).toEqual(before);
    expect(trainer.step).toBe(0);
  });

  it("leaves the weights as they were when the loss is not finite", async () => {
    const net = model();
    const trainer = trainerOf(net);
    const before = weightsOf(net);
    const broken = { ...batch(8, 0), images: new Float32Array(128).fill(Number.NaN) };
    const { loss } = await trainer.takeStep([broken], 0.1);
    expect(loss).toBeNaN();
    expect(weightsOf(net)).toEqual(before);
    expect(trainer.step).toBe(0);
  });

  it("averages weights, and gives the network its own back", async () => {
    const net = model();
    const trainer = trainerOf(net, { ema: 0.999 });
    const initial = weightsOf(net);
    for (let n = 0; n < 10; n++) await trainer.takeStep([batch(8, n)], 0.5);
    const own = weightsOf(net);
    await trainer.withAverage(async () => {
      const averaged = weightsOf(net);
      expect(averaged).not.toEqual(own);
      const distance = (a: number[], b: number[]) => Math.hypot(...a.map((x, i) => x - b[i]));
      expect(distance(averaged, initial)).toBeLessThan(distance(own, initial));
    });
    expect(weightsOf(net)).toEqual(own);
  });
});

describe("fit", () => {
  it("goes on from a position as if it had never stopped", async () => {
    const [whole, stopped] = [model(), model()];
    await fit(trainerOf(whole, { ema: 0.9 }), fitOptions());

    const first = trainerOf(stopped, { ema: 0.9 });
    const stop = new AbortController();
    const { end, position } = await fit(first, {
      ...fitOptions(),
      signal: stop.signal,
      onStep: ({ step }) => {
        if (step === 8) stop.abort();
      },
    });
    expect(end).toBe("interrupted");
    expect([position.epoch, position.stepInEpoch]).toEqual([1, 2]);

    const state = await first.state();
    const fresh = model();
    const second = trainerOf(fresh, { ema: 0.9 });
    second.restore(state, first.step);
    const events: EpochEvent[] = [];
    await fit(second, fitOptions({ position, onEpoch: (event) => void events.push(event) }));
    expect(weightsOf(fresh)).toEqual(weightsOf(whole));
    expect(events.map(({ epoch }) => epoch)).toEqual([2, 3]);
    expect(await second.state()).toBeDefined();
  });

  it("hears of events between steps, and says of a last step that it is the last", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 1);
    let last = { stepInEpoch: 0, epoch: 0, stopping: false };
    const onPosition = ({ stepInEpoch, epoch }: Position): void => {
      last = { stepInEpoch, epoch, stopping: stop.signal.aborted };
    };
    const { end, position } = await fit(
      trainerOf(model()),
      fitOptions({ epochs: 10_000, signal: stop.signal, onPosition }),
    );
    expect(end).toBe("interrupted");
    expect(last).toEqual({ stepInEpoch: position.stepInEpoch, epoch: position.epoch, stopping: true });
  });

  it("counts one step for some accumulated batches", async () => {
    const steps: number[] = [];
    await fit(trainerOf(model()), fitOptions({ epochs: 1, accumulate: 2, onStep: (e) => void steps.push(e.items) }));
    expect(steps).toEqual([16, 16, 16]);
  });

  it("stops early when the held-out accuracy no longer rises", async () => {
    const accuracies = [0.5, 0.6, 0.6, 0.55, 0.7];
    const validate = async () => ({ accuracy: accuracies.shift() as number });
    const { end, position } = await fit(trainerOf(model()), fitOptions({ epochs: 5, patience: 2, validate }));
    expect(end).toBe("stopped early");
    expect(position.epoch).toBe(4);
    expect(position.best).toEqual({ epoch: 2, value: 0.6 });
  });

  it("ends with one line when the loss is no longer finite", async () => {
    const positions: Position[] = [];
    const training = fit(
      trainerOf(model()),
      fitOptions({ learningRate: 1e38, onPosition: (position) => void positions.push(structuredClone(position)) }),
    );
    await expect(training).rejects.toThrow(/loss became .* at step \d+; .*--learning-rate/);
  });
});
