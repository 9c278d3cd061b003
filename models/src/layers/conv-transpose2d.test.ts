import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { countMacs, countParams } from "../count.ts";
import { InputError } from "../errors.ts";
import { convTranspose2d } from "../ops/conv-transpose2d.ts";
import { ConvTranspose2D, type ConvTranspose2DConfig } from "./conv-transpose2d.ts";
import { Conv2D } from "./conv2d.ts";

beforeAll(() => tf.setBackend("cpu"));

const modelOf = (shape: number[], config: ConvTranspose2DConfig) => {
  const input = tfl.input({ shape });
  return tfl.model({ inputs: input, outputs: new ConvTranspose2D(config).apply(input) as tfl.SymbolicTensor });
};

describe("a transposed convolution", () => {
  it.each<[string, ConvTranspose2DConfig]>([
    ["DCGAN's", { filters: 3, kernelSize: 4, strides: 2, padding: 1 }],
    [
      "one with output padding",
      { filters: 2, kernelSize: [3, 5], strides: [2, 1], padding: [1, 2], outputPadding: [1, 0] },
    ],
    ["one without a bias", { filters: 2, kernelSize: 2, strides: 3, useBias: false }],
  ])("of the shape that it says, and again from its configuration: %s", (_, config) => {
    const model = modelOf([4, 5, 2], config);
    const copy = new ConvTranspose2D(model.layers[1].getConfig() as unknown as ConvTranspose2DConfig);
    expect(copy.getConfig()).toEqual(model.layers[1].getConfig());
    tf.tidy(() => {
      const y = model.predict(tf.ones([3, 4, 5, 2])) as tf.Tensor;
      expect(y.shape).toEqual([3, ...model.outputs[0].shape.slice(1)]);
    });
    model.dispose();
  });

  it("gives back the size that a convolution took away", () => {
    const window = { kernelSize: 4, strides: 2, padding: 1 };
    const [, ...shape] = modelOf([4, 6, 3], { filters: 5, ...window }).outputs[0].shape;
    expect(shape).toEqual([8, 12, 5]);
    expect(new Conv2D({ filters: 3, ...window }).computeOutputShape([null, ...shape])).toEqual([null, 4, 6, 3]);
  });

  it("counts a filter for each pixel that it gets", () => {
    const model = modelOf([4, 5, 2], { filters: 3, kernelSize: 4, strides: 2, padding: 1 });
    expect(countMacs(model)).toBe(4 * 5 * (4 * 4 * 2 * 3));
    expect(countParams(model)).toBe(4 * 4 * 2 * 3 + 3);
  });

  it.each<[string, () => tf.Tensor, RegExp]>([
    [
      "channels that do not fit",
      () => convTranspose2d({ x: tf.zeros([1, 2, 2, 3]), filter: tf.zeros([2, 2, 3, 4]) }),
      /got x \[1,2,2,3\] and filter \[2,2,3,4\]; expected/,
    ],
    [
      "too much padding",
      () => convTranspose2d({ x: tf.zeros([1, 1, 1, 1]), filter: tf.zeros([2, 2, 1, 1]) }, { padding: 1 }),
      /\[1,1\] pixels by \[2,2\] with padding \[1,1\] leaves none/,
    ],
    [
      "too much output padding",
      () => convTranspose2d({ x: tf.zeros([1, 1, 1, 1]), filter: tf.zeros([2, 2, 1, 1]) }, { outputPadding: 1 }),
      /output padding \[1,1\]; expected less than its strides \[1,1\]/,
    ],
  ])("refuses %s in one line", (_, run, says) => {
    expect(() => tf.tidy(run)).toThrow(InputError);
    expect(() => tf.tidy(run)).toThrow(says);
  });
});
