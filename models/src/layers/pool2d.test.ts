import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { AvgPool2D } from "./index.ts";

beforeAll(() => tf.setBackend("cpu"));

describe("an average pooling that leaves out its padding", () => {
  const image = tf.tensor4d([1, 2, 3, 4, 5, 6], [1, 2, 3, 1]);

  it("is the mean of the pixels that there are, and leaves nothing behind", () => {
    const layer = new AvgPool2D({ poolSize: 3, strides: 1, padding: 1, countIncludePad: false });
    layer.apply(image);
    const before = tf.memory().numTensors;
    const y = layer.apply(image) as tf.Tensor;
    expect(tf.memory().numTensors).toBe(before + 1);
    // Both rows see all rows; columns 0, 1 and 2 see two, three and two of them.
    const expected = [3, 3.5, 4, 3, 3.5, 4];
    for (const [i, value] of y.dataSync().entries()) expect(value).toBeCloseTo(expected[i], 6);
    expect(new AvgPool2D({ poolSize: 3, strides: 1, padding: 1 }).getConfig().countIncludePad).toBe(true);
  });

  it("has the gradient of that mean", () => {
    const layer = new AvgPool2D({ poolSize: [2, 3], strides: [1, 2], padding: [0, 1], countIncludePad: false });
    // Windows of columns 0, 1 and of 1, 2.
    const y = layer.apply(image) as tf.Tensor;
    expect(y.shape).toEqual([1, 1, 2, 1]);
    for (const [i, value] of y.dataSync().entries()) expect(value).toBeCloseTo([3, 4][i], 6);
    const gradient = tf.grad((x) => tf.sum(tf.mul(layer.apply(x) as tf.Tensor, tf.tensor4d([4, 8], [1, 1, 2, 1]))))(
      image,
    );
    for (const [i, value] of gradient.dataSync().entries()) expect(value).toBeCloseTo([1, 3, 2, 1, 3, 2][i], 6);
  });
});
