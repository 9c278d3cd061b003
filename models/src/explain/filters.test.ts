import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { mlp, vit } from "../index.ts";
import { filters } from "./filters.ts";
import { tensorsLeftBy, testNetworks } from "./test-networks.ts";

beforeAll(() => tf.setBackend("cpu"));

describe("filters", () => {
  it("are the first convolution's, grey where a weight is 0 and each as strong as its largest", () => {
    const model = testNetworks.resnet();
    const { images, layer } = filters(model);
    expect(layer).toBe("conv1");
    expect(images.shape).toEqual([4, 3, 3, 3]);
    const weight = model.getLayer("conv1").getWeights()[0].arraySync() as number[][][][];
    const shown = images.arraySync();
    for (let k = 0; k < 4; k++) {
      const of = weight.flat(2).map((filter) => filter[k]);
      const largest = Math.max(...of.map(Math.abs));
      expect(shown[k].flat(2).map((value) => (value - 0.5) * 2 * largest)).toEqual(
        of.map((value) => expect.closeTo(value, 5)),
      );
    }
    tf.dispose([images]);
    model.dispose();
  });

  it("of a grey network are grey", () => {
    const model = testNetworks.lenet();
    const { images } = filters(model);
    expect(images.shape).toEqual([6, 5, 5, 3]);
    for (const [red, green, blue] of images.arraySync().flat(2)) expect([green, blue]).toEqual([red, red]);
    tf.dispose([images]);
    model.dispose();
  });

  it("of a multilayer perceptron have the shape of its images", () => {
    const model = mlp({ seed: 1 });
    const { images } = filters(model);
    const [first] = model.layers.filter((layer) => layer.weights.length > 0);
    const weight = first.getWeights()[0].arraySync() as number[][];
    expect(images.shape.slice(1)).toEqual([28, 28, 3]);
    const third = images
      .arraySync()[2]
      .flat()
      .map(([red]) => red - 0.5);
    const of = weight.map((row) => row[2]);
    const largest = Math.max(...of.map(Math.abs));
    expect(third).toEqual(of.map((value) => expect.closeTo(value / largest / 2, 5)));
    tf.dispose([images]);
    model.dispose();
  });

  it("of a vision transformer are those of its patches", () => {
    const model = vit({ patchSize: 4, dim: 8, depth: 1, heads: 2, inputShape: [8, 8, 3], classes: 3, seed: 1 });
    const { images, layer } = filters(model);
    const patches = model.getLayer(layer);
    expect(patches.getClassName()).toBe("ZooPatchEmbedding");
    expect(images.shape).toEqual([8, 4, 4, 3]);
    const weight = patches.getWeights()[0].arraySync() as number[][][][]; // [4, 4, 3, 8]
    const of = weight.flat(2).map((filter) => filter[5]);
    const largest = Math.max(...of.map(Math.abs));
    expect(images.arraySync()[5].flat(2)).toEqual(of.map((value) => expect.closeTo(0.5 + value / largest / 2, 5)));
    tf.dispose([images]);
    model.dispose();
  });

  it("of a network that takes images of other than 1 or 3 channels can't be shown", () => {
    const model = mlp({ inputShape: [4, 4, 2], classes: 3, seed: null });
    expect(() => filters(model)).toThrow(/takes images of 2 channels/);
    model.dispose();
  });

  it("leave no tensor but their images", () => {
    const model = testNetworks.vgg();
    expect(tensorsLeftBy(() => filters(model).images.dispose())).toBe(0);
    model.dispose();
  });
});
