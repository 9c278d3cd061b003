import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { softmaxCrossEntropy } from "../ops/softmax-cross-entropy.ts";
import { featureMaps } from "./feature-maps.ts";
import { testImages, testNetworks } from "./test-networks.ts";
import { UnitGatherer } from "./units.ts";

beforeAll(() => tf.setBackend("cpu"));

describe("UnitGatherer", () => {
  it("says of every layer what its outputs are, over all batches", () => {
    const model = testNetworks.lenet();
    const images = testImages(model, 5);
    const labels = tf.tensor1d([0, 1, 2, 3, 0], "int32");
    const before = tf.memory().numTensors;
    const gatherer = new UnitGatherer(model);
    tf.tidy(() => {
      gatherer.add(tf.slice(images, 0, 3), tf.slice(labels, 0, 3));
      gatherer.add(tf.slice(images, 3, 2), tf.slice(labels, 3, 2));
    });
    const report = gatherer.report();
    gatherer.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(report.images).toBe(5);
    const maps = featureMaps(model, images);
    for (const { layer, units, mean, std, zeros, dead } of report.layers) {
      const values = Array.from(maps[layer].dataSync());
      const average = values.reduce((a, b) => a + b) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length;
      expect(units).toBe(maps[layer].shape.at(-1));
      expect(mean).toBeCloseTo(average, 4);
      expect(std).toBeCloseTo(Math.sqrt(variance), 4);
      expect(zeros).toBeCloseTo(values.filter((value) => value === 0).length / values.length, 6);
      expect(dead === undefined, layer).toBe(!layer.startsWith("relu"));
    }
    tf.dispose([maps, images, labels]);
    model.dispose();
  });

  it("has the gradient of the mean loss over the set, whatever the batches", () => {
    const model = testNetworks.resnet();
    const images = testImages(model, 4);
    const labels = tf.tensor1d([3, 1, 2, 0], "int32");
    const gatherer = new UnitGatherer(model);
    tf.tidy(() => {
      for (const i of [0, 1, 2, 3]) gatherer.add(tf.slice(images, i, 1), tf.slice(labels, i, 1));
    });
    const { weights, loss } = gatherer.report();
    gatherer.dispose();
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const { value, grads } = tf.variableGrads(
      () => softmaxCrossEntropy({ logits: model.apply(images) as tf.Tensor, labels }) as tf.Scalar,
      variables,
    );
    expect(loss).toBeCloseTo(value.dataSync()[0], 5);
    expect(weights.length).toBe(variables.length);
    const { gradientNorm, norm, ratio } = weights.find(({ weight }) => weight === "layer2.0.conv1.weight") ?? {
      gradientNorm: 0,
    };
    const [kernel] = model.getLayer("layer2.0.conv1").trainableWeights.map((w) => w.read() as tf.Variable);
    const [expected, length] = [grads[kernel.name], kernel].map((t) => tf.tidy(() => tf.norm(t).dataSync()[0]));
    expect(gradientNorm).toBeCloseTo(expected, 5);
    expect(norm).toBeCloseTo(length, 5);
    expect(ratio).toBeCloseTo(expected / length, 5);
    tf.dispose([value, grads, images, labels]);
    model.dispose();
  });

  it("finds the units that never answer", () => {
    const model = testNetworks.lenet();
    const [weight, bias] = model.getLayer("conv1").getWeights();
    const drowned = tf.tidy(() => tf.add(bias, [-1e3, 0, 0, 0, -1e3, 0]));
    model.getLayer("conv1").setWeights([weight, drowned]);
    const images = testImages(model, 3);
    const labels = tf.tensor1d([0, 1, 2], "int32");
    const gatherer = new UnitGatherer(model);
    gatherer.add(images, labels);
    const { layers, weights } = gatherer.report();
    gatherer.dispose();
    expect(layers.find(({ layer }) => layer === "relu1")?.dead).toBe(2);
    expect(layers.find(({ layer }) => layer === "relu1")?.zeros).toBeGreaterThan(2 / 6);
    expect(weights.find(({ weight: name }) => name === "conv1.weight")?.gradientNorm).toBeGreaterThan(0);
    tf.dispose([drowned, images, labels]);
    model.dispose();
  });
});
