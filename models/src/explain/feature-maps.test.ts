import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { embeddings, embeddingsAndLogits } from "./embeddings.ts";
import { featureMaps, shownMaps } from "./feature-maps.ts";
import { computingLayers, tellingLayers } from "./layers.ts";
import { type TestNetwork, tensorsLeftBy, testImages, testNetworks } from "./test-networks.ts";

beforeAll(() => tf.setBackend("cpu"));

describe("featureMaps", () => {
  it.each(Object.keys(testNetworks) as TestNetwork[])("of a %s are of every layer, the last is its output", (name) => {
    const model = testNetworks[name]();
    const images = testImages(model);
    const left = tensorsLeftBy(() => {
      const maps = featureMaps(model, images);
      expect(Object.keys(maps)).toEqual(computingLayers(model).map((layer) => layer.name));
      const [last] = Object.values(maps).slice(-1);
      const output = model.apply(images) as tf.Tensor;
      expect(last.dataSync()).toEqual(output.dataSync());
      tf.dispose([maps, output]);
    });
    expect(left).toBe(0);
    tf.dispose([images]);
    model.dispose();
  });

  it("runs no further than the layers that were named", () => {
    const model = testNetworks.lenet();
    const images = testImages(model);
    const left = tensorsLeftBy(() => {
      const maps = featureMaps(model, images, ["relu1", "conv1"]);
      expect(Object.keys(maps)).toEqual(["relu1", "conv1"]);
      expect(maps.relu1.dataSync()).toEqual(tf.tidy(() => tf.relu(maps.conv1).dataSync()));
      tf.dispose(maps);
    });
    expect(left).toBe(0);
    expect(() => featureMaps(model, images, ["conv9"])).toThrow('lenet5 has no layer "conv9"');
    tf.dispose([images]);
    model.dispose();
  });
});

describe("shownMaps", () => {
  it("are what a ReLU lets through, each on its own scale", () => {
    const map = tf.tensor4d([1, -1, 0, 2, -3, 0, 4, -2, 0], [1, 1, 3, 3]); // channels: 1 2 4, −1 −3 −2, 0 0 0
    const shown = shownMaps(map);
    expect(shown.arraySync()).toEqual([[[0.25, 0.5, 1]], [[0, 0, 0]], [[0, 0, 0]]]);
    tf.dispose([map, shown]);
  });
});

describe("tellingLayers", () => {
  it.each([
    ["lenet", ["relu1", "relu2"]],
    ["resnet", ["bn1", "layer1.0.add", "layer2.0.add", "layer3.0.add"]],
  ] as const)("of a %s are the first after a ReLU, and the last of each size", (name, expected) => {
    const model = testNetworks[name]();
    expect(tellingLayers(model)).toEqual(expected);
    model.dispose();
  });
});

describe("embeddings", () => {
  it.each([
    ["resnet", "avgpool"],
    ["lenet", "relu4"],
  ] as const)("of a %s are what its last dense layer reads", (name, layer) => {
    const model = testNetworks[name]();
    const images = testImages(model);
    const left = tensorsLeftBy(() => {
      const features = embeddings(model, images);
      const maps = featureMaps(model, images, [layer]);
      expect(features.arraySync()).toEqual(maps[layer].arraySync());
      tf.dispose([features, maps]);
    });
    expect(left).toBe(0);
    tf.dispose([images]);
    model.dispose();
  });

  it.each(["resnet", "lenet"] as const)("of a %s come with its logits in one pass", (name) => {
    const model = testNetworks[name]();
    const images = testImages(model);
    const left = tensorsLeftBy(() => {
      const { features, logits } = embeddingsAndLogits(model, images);
      const [alone, said] = [embeddings(model, images), model.predict(images) as tf.Tensor];
      expect(features.arraySync()).toEqual(alone.arraySync());
      expect(logits.arraySync()).toEqual(said.arraySync());
      tf.dispose([features, logits, alone, said]);
    });
    expect(left).toBe(0);
    images.dispose();
    model.dispose();
  });
});
