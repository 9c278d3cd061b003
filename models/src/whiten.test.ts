import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "./random.ts";
import { createModel } from "./registry.ts";
import { whitenFirstConvolution } from "./whiten.ts";

beforeAll(() => tf.setBackend("cpu"));

const shape = [40, 12, 12, 3] as const;

/** Images whose neighbouring pixels and channels are alike. */
function images(): Float32Array {
  const random = randomStream("whiten");
  const noise = tf.tensor4d(
    Float32Array.from({ length: 40 * 14 * 14 * 3 }, () => random.normal()),
    [40, 14, 14, 3],
  );
  const mixed = tf.conv2d(noise, tf.ones([3, 3, 3, 3]) as tf.Tensor4D, 1, "valid");
  return tf.addN([mixed, tf.slice(noise, [0, 1, 1, 0], [40, 12, 12, 3])]).dataSync() as Float32Array;
}

const firstConvolution = (model: tfl.LayersModel) => model.layers.find(({ name }) => name === "0") as tfl.layers.Layer;

describe("whitening", () => {
  it("gives filters whose outputs are uncorrelated and of variance 1, each with its negative", () => {
    const model = createModel("airbench94", { inputShape: [32, 32, 3] });
    const pixels = images();
    whitenFirstConvolution(model, pixels, shape);
    const weightOf = (rank: number) =>
      firstConvolution(model).weights.find(({ shape }) => shape.length === rank) as tfl.LayerVariable;
    const [weight, bias] = [weightOf(4), weightOf(1)];
    expect(weight.trainable).toBe(false);
    expect(bias.trainable).toBe(true);
    expect(model.trainableWeights.some(({ originalName }) => originalName === weight.originalName)).toBe(false);
    const outputs = tf.conv2d(tf.tensor4d(pixels, [...shape]), weight.read() as tf.Tensor4D, 1, "valid");
    const flat = tf.reshape(outputs, [-1, 24]);
    const moments = tf.div(tf.matMul(flat, flat, true), flat.shape[0]).arraySync() as number[][];
    for (let i = 0; i < 24; i++) {
      for (let j = 0; j < 24; j++) {
        const expected = i === j ? 1 : i >> 1 === j >> 1 ? -1 : 0;
        expect(moments[i][j]).toBeCloseTo(expected, 2);
      }
    }
  });

  it("refuses a network whose first convolution has other filters", () => {
    expect(() => whitenFirstConvolution(createModel("resnet20"), images(), shape)).toThrow(
      "can't whiten resnet20: its first convolution has 16 filters of 3x3x3; expected 54, two for each direction of a patch (as airbench94 has)",
    );
  });
});
