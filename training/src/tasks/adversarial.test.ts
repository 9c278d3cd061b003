import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "@tfjs-zoo/datasets";
import { dcgan, randomStream } from "@tfjs-zoo/models";
import { beforeAll, describe, expect, it } from "vitest";
import { Trainer } from "../loop/trainer.ts";
import { type GanRecipe, ganGroups, ganRecipes } from "../recipes/gan-recipe.ts";
import { type AdversarialOptions, adversarial } from "./adversarial.ts";

const shape = [8, 8, 1] as const;
const SIZE = 4;

const batch: Batch = {
  images: Float32Array.from({ length: SIZE * 64 }, (_, i) => (i % 8 < 4 ? 0.9 : -0.9)),
  labels: Int32Array.from([0, 1, 0, 1]),
  size: SIZE,
  indices: new Int32Array(SIZE),
};
const network = (options = {}) => dcgan({ imageShape: shape, channels: 3, latent: 4, ...options });
const weightsOf = (model: { weights: { read(): tf.Tensor }[] }) =>
  model.weights.flatMap((weight) => [...weight.read().dataSync()]);

beforeAll(() => tf.setBackend("cpu"));

describe("a generator and a discriminator against each other", () => {
  it.each<[string, GanRecipe, object]>([
    ["as DCGAN has it", ganRecipes.dcgan, {}],
    ["told classes", ganRecipes.dcgan, { classes: 2 }],
    ["with spectral norm", ganRecipes.hinge, { norm: "spectral", classes: 2 }],
    ["with a gradient penalty", { ...ganRecipes["wgan-gp"], discriminatorSteps: 1 }, { norm: "none", classes: 2 }],
    ["with weights that are cut off", { ...ganRecipes.wgan, discriminatorSteps: 1 }, { norm: "batch" }],
  ])("%s, both learn and nothing is left behind", async (_, recipe, options) => {
    const before = tf.memory().numTensors;
    const gan = network(options);
    const trainer = new Trainer(adversarial(gan, shape, recipe), { groups: ganGroups(recipe, gan), ema: 0.9, seed: 1 });
    let [generator, discriminator] = [weightsOf(gan.generator), weightsOf(gan.discriminator)];
    let held = 0;
    for (let step = 0; step < 3; step++) {
      const { loss, metrics } = await trainer.takeStep([batch], 1e-3);
      expect([loss, ...Object.values(metrics)].every(Number.isFinite)).toBe(true);
      const [nextGenerator, nextDiscriminator] = [weightsOf(gan.generator), weightsOf(gan.discriminator)];
      expect(nextGenerator).not.toEqual(generator);
      expect(nextDiscriminator).not.toEqual(discriminator);
      [generator, discriminator] = [nextGenerator, nextDiscriminator];
      if (step === 0) held = tf.memory().numTensors;
    }
    expect(tf.memory().numTensors).toBe(held);
    trainer.dispose();
    gan.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("moves one network at a time, and the generator once in so many steps", async () => {
    const gan = network();
    const task = adversarial(gan, shape, { discriminatorSteps: 3 });
    expect(task.updates[0].variables.some((weight) => gan.generator.trainableWeights.includes(weight as never))).toBe(
      false,
    );
    const trainer = new Trainer(task, { groups: ganGroups(ganRecipes.dcgan, gan), seed: 1 });
    const learned = () => gan.generator.trainableWeights.map((weight) => [...weight.read().dataSync()]);
    const first = learned();
    await trainer.takeStep([batch], 1e-3);
    const { metrics } = await trainer.takeStep([batch], 1e-3);
    expect(learned()).toEqual(first);
    expect(metrics.generator).toBeUndefined();
    const third = await trainer.takeStep([batch], 1e-3);
    expect(learned()).not.toEqual(first);
    // It stands for three batches, so that its mean over all images is right.
    expect(third.metrics.generator / (3 * SIZE)).toBeCloseTo(0.7, 0);
    trainer.dispose();
    gan.dispose();
  });

  it("keeps a critic's weights within a bound, and no others", async () => {
    const gan = network({ norm: "none" });
    const recipe = { ...ganRecipes.wgan, discriminatorSteps: 1 };
    const trainer = new Trainer(adversarial(gan, shape, recipe), { groups: ganGroups(recipe, gan), seed: 1 });
    await trainer.takeStep([batch], 1e-3);
    expect(Math.max(...weightsOf(gan.discriminator).map(Math.abs))).toBeCloseTo(0.01, 6);
    expect(Math.max(...weightsOf(gan.generator).map(Math.abs))).toBeGreaterThan(0.02);
    trainer.dispose();
    gan.dispose();
  });

  it("draws by the seed and the step alone, others for each network", () => {
    const gan = network({ classes: 3 });
    const task = adversarial(gan, shape);
    const drawn = (seed: number, step: number, updates = ["generator"]) => {
      task.seed(seed, step);
      const inputs = updates.map((update) => task.upload(batch, update));
      const values = inputs.map(({ z, fake }) => [...(z ?? (fake as tf.Tensor)).dataSync()]);
      tf.dispose(inputs);
      return values.at(-1);
    };
    expect(drawn(3, 5)).toEqual(drawn(3, 5));
    expect(drawn(3, 5)).not.toEqual(drawn(3, 6));
    expect(drawn(3, 5)).not.toEqual(drawn(3, 5, ["discriminator", "generator"]));
    gan.dispose();
  });

  it("weighs the penalty by lambda", async () => {
    const gan = network({ norm: "none" });
    const lossAt = (options: AdversarialOptions) => {
      const task = adversarial(gan, shape, { loss: "wasserstein", ...options });
      task.seed(0, 0);
      const [{ loss }] = task.updates;
      return tf.tidy(() => loss(task.upload(batch, "discriminator")).loss.dataSync()[0]);
    };
    const [none, one, ten] = [0, 1, 10].map((gradientPenalty) => lossAt({ gradientPenalty }));
    expect(one).not.toBe(none);
    expect((ten - none) / (one - none)).toBeCloseTo(10, 3);
    gan.dispose();
  });

  it("refuses a penalty where a score depends on other images", () => {
    const gan = dcgan({ imageShape: [16, 16, 1], channels: 2, latent: 2 });
    expect(() => adversarial(gan, [16, 16, 1], { gradientPenalty: 10 })).toThrow(
      /has batch norm: take a network without/,
    );
    gan.dispose();
  });

  it("learns what images are like", async () => {
    const gan = network();
    const recipe = ganRecipes.dcgan;
    const trainer = new Trainer(adversarial(gan, shape, recipe), { groups: ganGroups(recipe, gan), seed: 1 });
    for (let step = 0; step < 150; step++) await trainer.takeStep([batch], 3e-3);
    const random = randomStream("z");
    const z = Float32Array.from({ length: 16 }, () => random.normal());
    const [left, right] = tf.tidy(() => {
      const images = gan.generator.predict(tf.tensor2d(z, [4, 4])) as tf.Tensor4D;
      return tf.split(images, 2, 2).map((half) => tf.mean(half).dataSync()[0]);
    });
    expect(left - right).toBeGreaterThan(0.5);
    trainer.dispose();
    gan.dispose();
  });
});
