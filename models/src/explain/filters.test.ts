import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { mlp } from "../index.ts";
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

  it("leave no tensor but their images", () => {
    const model = testNetworks.vgg();
    expect(tensorsLeftBy(() => filters(model).images.dispose())).toBe(0);
    model.dispose();
  });
});
