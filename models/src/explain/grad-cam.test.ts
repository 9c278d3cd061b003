import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { foldBatchNorm, mlp } from "../index.ts";
import { gradCam, layerGradient } from "./grad-cam.ts";
import { compute, inputValues, tailAfter } from "./graph-values.ts";
import { computingLayers, findLayer, isSpatial, lastSpatialLayer, outputOf } from "./layers.ts";
import { type TestNetwork, tensorsLeftBy, testImages, testNetworks } from "./test-networks.ts";

beforeAll(() => tf.setBackend("cpu"));

const names = Object.keys(testNetworks) as TestNetwork[];
let model: tfl.LayersModel;
let images: tf.Tensor4D;
const taken: { dispose(): unknown }[] = [];
const take = (name: TestNetwork) => {
  model = testNetworks[name]();
  images = testImages(model);
  taken.push(model, images);
};
afterEach(() => {
  for (const it of taken.splice(0)) it.dispose();
});

describe("the part of a network after a layer", () => {
  it.each(names)("of a %s gives the network's output, whichever the layer", (name) => {
    take(name);
    tf.tidy(() => {
      const expected = (model.apply(images) as tf.Tensor).dataSync();
      for (const layer of computingLayers(model)) {
        const activation = compute(outputOf(layer), inputValues(model, images));
        const actual = tailAfter(model, layer, images)(activation).dataSync();
        expect(actual, layer.name).toEqual(expected);
      }
    });
  });

  it("starts at the layer: nothing before it is run", () => {
    take("lenet");
    tf.tidy(() => {
      const layer = findLayer(model, "relu2");
      const zeros = tf.zeros([2, ...(outputOf(layer).shape.slice(1) as number[])]);
      const values = inputValues(model, images).set(outputOf(layer).id, zeros);
      compute(model.outputs[0], values);
      expect(values.has(outputOf(findLayer(model, "conv1")).id)).toBe(false);
    });
  });
});

describe("layerGradient", () => {
  it.each(names)("of a %s agrees with differences of the score, at every layer that says where", (name) => {
    take(name);
    const layers = computingLayers(model).filter(isSpatial);
    expect(layers.length).toBeGreaterThan(3);
    for (const layer of layers) {
      const { activation, gradient } = layerGradient(model, images, layer.name, 1);
      tf.tidy(() => {
        // Along the gradient the score changes by its length. A zero of a ReLU stays: in max pooling it ties with others.
        const along = tf.mul(gradient, tf.cast(tf.notEqual(activation, 0), "float32"));
        const length = tf.norm(along).dataSync()[0];
        const step = tf.divNoNan(tf.mul(along, 1e-3), length);
        const score = (a: tf.Tensor) => tf.sum(tf.slice(tailAfter(model, layer, images)(a), [0, 1], [-1, 1]));
        const change = tf.sub(score(tf.add(activation, step)), score(tf.sub(activation, step))).dataSync()[0] / 2e-3;
        expect(Math.abs(change - length), `${layer.name}: ${change}, ${length}`).toBeLessThanOrEqual(2e-2 * length);
      });
      activation.dispose();
      gradient.dispose();
    }
  });
});

describe("gradCam", () => {
  it.each(names)("of a %s is what equations 1 and 2 say", (name) => {
    take(name);
    const layer = lastSpatialLayer(model);
    const { map, classIndex } = gradCam(model, images, { classIndex: 2 });
    expect(classIndex).toEqual([2, 2]);
    expect(map.shape).toEqual(images.shape.slice(0, 3));
    const { activation, gradient } = layerGradient(model, images, layer, 2);
    const [, height, width, channels] = activation.shape;
    const [a, g] = [activation.arraySync(), gradient.arraySync()];
    const coarse = a.map((image, b) => {
      const sum = Array.from({ length: height }, () => new Array<number>(width).fill(0));
      for (let k = 0; k < channels; k++) {
        let alpha = 0;
        for (const row of g[b]) for (const place of row) alpha += place[k] / (height * width);
        for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) sum[i][j] += alpha * image[i][j][k];
      }
      return sum.map((row) => row.map((value) => [Math.max(value, 0)]));
    });
    tf.tidy(() => {
      const size = images.shape.slice(1, 3) as [number, number];
      const fine = tf.image.resizeBilinear(tf.tensor4d(coarse), size, false, true);
      const expected = tf.divNoNan(fine, tf.max(fine, [1, 2, 3], true)).dataSync();
      const actual = map.dataSync();
      for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i], 4);
      expect(Math.max(...actual)).toBeCloseTo(1, 6);
      expect(Math.min(...actual)).toBeGreaterThanOrEqual(0);
    });
    tf.dispose([map, activation, gradient]);
  });

  it("explains what the network says of each image unless a class is given", () => {
    take("resnet, folded");
    const said = tf.tidy(() => Array.from(tf.argMax(model.apply(images) as tf.Tensor, 1).dataSync()));
    const { map, classIndex, layer } = gradCam(model, images);
    expect(classIndex).toEqual(said);
    expect(layer).toBe("layer3.0.add");
    map.dispose();
  });

  it("treats each image of a batch as if it were alone", () => {
    take("resnet");
    const { map } = gradCam(model, images, { classIndex: 0 });
    tf.tidy(() => {
      const alone = gradCam(model, tf.slice(images, 1, 1), { classIndex: 0 });
      const [actual, expected] = [tf.slice(map, 1, 1).dataSync(), alone.map.dataSync()];
      for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i], 5);
    });
    map.dispose();
  });

  it("leaves no tensor but the map", () => {
    take("densenet");
    expect(tensorsLeftBy(() => gradCam(model, images).map.dispose())).toBe(0);
  });

  it("says what is wrong with a layer or a class", () => {
    take("lenet");
    expect(() => gradCam(model, images, { layer: "conv3" })).toThrow('did you mean "conv1"');
    expect(() => gradCam(model, images, { layer: "fc1" })).toThrow("no map over places but [batch, 120]");
    expect(() => gradCam(model, images, { classIndex: 4 })).toThrow("there is no class 4");
  });
});

describe("lastSpatialLayer", () => {
  it.each([
    ["lenet", "relu2"],
    ["resnet", "layer3.0.add"],
  ] as const)("of a %s is %s", (name, expected) => {
    take(name);
    expect(lastSpatialLayer(model)).toBe(expected);
  });

  it("is the convolution where that does the ReLU, too", () => {
    take("lenet");
    const folded = foldBatchNorm(model);
    taken.push(folded);
    expect(lastSpatialLayer(folded)).toBe("conv2");
  });

  it("refuses a network that has none", () => {
    const flat = mlp({ seed: null });
    expect(() => lastSpatialLayer(flat)).toThrow("mlp has no layer whose output is a map over places");
    flat.dispose();
  });
});
