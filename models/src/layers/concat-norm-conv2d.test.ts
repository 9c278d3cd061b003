import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { loadWeights, saveWeights, stateDict } from "../weights/index.ts";
import { scatter } from "../weights/test-nets.ts";
import { BatchNorm } from "./batch-norm.ts";
import { chain } from "./chain.ts";
import { Concat } from "./concat.ts";
import { ConcatNormConv2D } from "./concat-norm-conv2d.ts";
import { Conv2D } from "./conv2d.ts";

beforeAll(() => tf.setBackend("cpu"));

const conv = { filters: 5, kernelSize: 3, padding: 1 };
const inputs = () => [2, 1, 3].map((channels) => tfl.input({ shape: [4, 5, channels] }));

/** [...inputs] -> the layer, and the three layers that it stands for. */
function networks(): [tfl.LayersModel, tfl.LayersModel] {
  const [a, b] = [inputs(), inputs()];
  const joined = new Concat({ name: "concat" }).apply(b) as tfl.SymbolicTensor;
  return [
    tfl.model({
      inputs: a,
      outputs: new ConcatNormConv2D({ name: "layer", ...conv }).apply(a) as tfl.SymbolicTensor,
    }),
    tfl.model({
      inputs: b,
      outputs: chain(
        joined,
        new BatchNorm({ name: "layer.norm1", activation: "relu" }),
        new Conv2D({ name: "layer.conv1", useBias: false, ...conv }),
      ),
    }),
  ];
}

const images = () =>
  [2, 1, 3].map((channels, i) => tf.randomNormal<tf.Rank.R4>([2, 4, 5, channels], 0, 1, undefined, i));

const largest = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).arraySync();

describe("ConcatNormConv2D", () => {
  it("computes what concat, batch norm and convolution compute, forwards and backwards", async () => {
    const [one, three] = networks();
    scatter(one);
    expect(stateDict(one).map(({ name }) => name)).toEqual(stateDict(three).map(({ name }) => name));
    loadWeights(three, await saveWeights(one));
    const xs = images();
    expect(largest(one.apply(xs) as tf.Tensor, three.apply(xs) as tf.Tensor)).toBeLessThan(1e-6);

    const results = [one, three].map((model) => {
      const loss = () => tf.sum(tf.square(model.apply(xs, { training: true }) as tf.Tensor)) as tf.Scalar;
      const entries = stateDict(model).filter(({ variable }) => variable.trainable);
      const { grads } = tf.variableGrads(
        loss,
        entries.map(({ variable }) => variable.read() as tf.Variable),
      );
      const ofInputs = tf.grads((...given) => tf.sum(tf.square(model.apply(given, { training: true }) as tf.Tensor)))(
        xs,
      );
      return [...entries.map(({ variable }) => grads[(variable.read() as tf.Variable).name]), ...ofInputs];
    });
    for (const [i, gradient] of results[0].entries()) expect(largest(gradient, results[1][i])).toBeLessThan(1e-4);
    for (const [i, { variable }] of stateDict(one).entries()) {
      expect(largest(variable.read(), stateDict(three)[i].variable.read())).toBeLessThan(1e-6);
    }
  });

  it("keeps nothing large from the forward to the backward pass but its inputs", () => {
    const [one] = networks();
    scatter(one);
    const xs = images();
    const during: number[] = [];
    const f = (...given: tf.Tensor[]) => {
      const before = tf.memory().numDataBuffers;
      const y = one.apply(given, { training: true }) as tf.Tensor;
      during.push(tf.memory().numDataBuffers - before); // its output, and the mean and variance of the batch
      return tf.sum(y);
    };
    tf.dispose(tf.grads(f)(xs));
    const before = tf.memory().numTensors;
    tf.dispose(tf.grads(f)(xs));
    expect(tf.memory().numTensors).toBe(before);
    expect(during).toEqual([3, 3]);
  });
});
