import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { countMacs, countParams } from "../count.ts";
import { stateDict } from "../weights/index.ts";
import { SpectralConv2D } from "./spectral-conv2d.ts";
import { SpectralDense } from "./spectral-dense.ts";
import { SpectralEmbedding } from "./spectral-embedding.ts";

beforeAll(() => tf.setBackend("cpu"));

function modelOf(shape: number[], layer: tfl.layers.Layer): tfl.LayersModel {
  const input = tfl.input({ shape });
  const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
  const [weight] = layer.weights;
  const value = tf.randomNormal(weight.shape as number[], 0, 1, "float32", 3);
  weight.write(value);
  value.dispose();
  return model;
}

const trained = (model: tfl.LayersModel, x: tf.Tensor) => model.apply(x, { training: true }) as tf.Tensor;

describe("spectral norm", () => {
  it.each<[string, number[], () => tfl.layers.Layer, () => tf.Tensor]>([
    ["a dense layer", [5], () => new SpectralDense({ units: 4, useBias: false }), () => tf.eye(5)],
    ["an embedding", [], () => new SpectralEmbedding({ vocabulary: 5, units: 4 }), () => tf.range(0, 5)],
  ])("makes the largest singular value of %s 1", (_, shape, layer, all) => {
    const model = modelOf(shape, layer());
    tf.tidy(() => {
      const x = all();
      for (let step = 0; step < 50; step++) trained(model, x);
      const W = model.apply(x) as tf.Tensor2D; // the weight itself
      const square = tf.matMul(W, W, true, false).arraySync() as number[][]; // [4, 4], whose largest eigenvalue is σ²
      let [vector, size] = [[1, 1, 1, 1], 0];
      for (let step = 0; step < 200; step++) {
        const next = square.map((row) => row.reduce((sum, value, i) => sum + value * vector[i], 0));
        size = Math.hypot(...next);
        vector = next.map((value) => value / size);
      }
      expect(size).toBeCloseTo(1, 4);
    });
    model.dispose();
  });

  it("leaves the scale of a weight without effect, and its gradient along the weight 0", () => {
    const model = modelOf([4, 4, 2], new SpectralConv2D({ filters: 3, kernelSize: 3, padding: 1 }));
    const [weight] = model.layers[1].weights;
    tf.tidy(() => {
      const x = tf.randomNormal([2, 4, 4, 2], 0, 1, "float32", 5);
      for (let step = 0; step < 100; step++) trained(model, x);
      const before = model.predict(x) as tf.Tensor;
      const { grads } = tf.variableGrads(() => tf.sum(tf.square(trained(model, x))));
      const gradient = grads[(weight.read() as tf.Variable).name];
      const along = tf.sum(tf.mul(gradient, weight.read()));
      expect(along.dataSync()[0] / tf.norm(gradient).dataSync()[0]).toBeCloseTo(0, 4);
      weight.write(tf.mul(weight.read(), 7));
      const far = tf.max(tf.abs(tf.sub(model.predict(x) as tf.Tensor, before))).dataSync()[0];
      expect(far).toBeLessThan(1e-4);
    });
    model.dispose();
  });

  it("moves its vectors in training only, and leaves nothing behind", () => {
    const model = modelOf([4, 4, 2], new SpectralConv2D({ filters: 3, kernelSize: 3 }));
    const u = () => Array.from(model.layers[1].weights[2].read().dataSync());
    const x = tf.ones([1, 4, 4, 2]);
    const start = u();
    tf.dispose(model.predict(x));
    expect(u()).toEqual(start);
    const before = tf.memory().numTensors;
    trained(model, x).dispose();
    expect(u()).not.toEqual(start);
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
    model.dispose();
  });

  it("has PyTorch's names, and counts what learns", () => {
    const model = modelOf([4, 4, 2], new SpectralConv2D({ name: "conv", filters: 3, kernelSize: 3, padding: 1 }));
    expect(stateDict(model).map(({ name }) => name)).toEqual([
      "conv.weight_orig",
      "conv.weight_u",
      "conv.weight_v",
      "conv.bias",
    ]);
    expect(countParams(model)).toBe(3 * 3 * 2 * 3 + 3);
    expect(countMacs(model)).toBe(16 * 3 * 3 * 2 * 3);
    model.dispose();
  });
});
