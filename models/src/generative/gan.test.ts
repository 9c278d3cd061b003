import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { dcgan } from "./gan.ts";
import { ganLosses } from "./gan-losses.ts";

beforeAll(() => tf.setBackend("cpu"));

describe("a GAN", () => {
  it.each([
    [64, 64, 3],
    [28, 28, 1],
    [32, 48, 3],
  ] as const)("has images of %ix%ix%i on both sides", (...imageShape) => {
    const { generator, discriminator, dispose } = dcgan({ imageShape, channels: 2, latent: 4 });
    expect(generator.outputs[0].shape).toEqual([null, ...imageShape]);
    expect(discriminator.inputs[0].shape).toEqual([null, ...imageShape]);
    expect(discriminator.outputs[0].shape).toEqual([null, 1]);
    dispose();
  });

  it("begins with two networks of other weights, where layers have one name", async () => {
    const gan = dcgan({ imageShape: [16, 16, 1], channels: 4, latent: 1, seed: 3 });
    const [a, b] = [gan.generator, gan.discriminator].map((network) => network.getWeights()[0].dataSync());
    expect(a.slice(0, 4)).not.toEqual(b.slice(0, 4));
    gan.dispose();
  });

  it.each([30, 9, 4])("refuses images of %i pixels", (size) => {
    expect(() => dcgan({ imageShape: [size, size, 1] })).toThrow(/expected a size that halves to 4 to 8 pixels/);
  });

  it("tells both networks the class, and leaves nothing behind", () => {
    const before = tf.memory().numTensors;
    const { generator, discriminator, dispose } = dcgan({ imageShape: [8, 8, 1], channels: 2, latent: 3, classes: 2 });
    tf.tidy(() => {
      const z = tf.ones([2, 3]);
      const classes = tf.tensor1d([0, 1], "int32");
      const images = generator.apply([z, classes]) as tf.Tensor4D;
      const [one, other] = tf.unstack(images);
      expect(one.dataSync()).not.toEqual(other.dataSync());
      const same = tf.stack([one, one]);
      const [a, b] = (discriminator.apply([same, classes]) as tf.Tensor).dataSync();
      expect(a).not.toBe(b);
    });
    dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("the losses of a GAN", () => {
  const [real, fake] = [
    [0.5, 2],
    [-1, 1.5],
  ];
  const sigmoid = (s: number) => 1 / (1 + Math.exp(-s));
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
  const tellsApart = mean(real.map((s) => -Math.log(sigmoid(s)))) + mean(fake.map((s) => -Math.log(1 - sigmoid(s))));

  it.each([
    ["original", tellsApart, mean(fake.map((s) => Math.log(1 - sigmoid(s))))],
    ["non-saturating", tellsApart, mean(fake.map((s) => -Math.log(sigmoid(s))))],
    ["hinge", 0.5 / 2 + 2.5 / 2, -0.25],
    ["wasserstein", 0.25 - 1.25, -0.25],
  ] as const)("%s: are the paper's", (name, discriminator, generator) => {
    tf.tidy(() => {
      const column = (scores: number[]) => tf.tensor2d(scores, [2, 1]);
      const losses = ganLosses[name];
      expect(losses.discriminator(column(real), column(fake)).dataSync()[0]).toBeCloseTo(discriminator, 5);
      expect(losses.generator(column(fake)).dataSync()[0]).toBeCloseTo(generator, 5);
    });
  });
});
