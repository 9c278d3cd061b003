import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { AppendTokens, BiasedAttention, RelativePositions, SelfAttention } from "./index.ts";

beforeAll(() => tf.setBackend("cpu"));

const random = (shape: number[], seed = 1) => tf.randomNormal(shape, 0, 1, "float32", seed);

function expectClose(actual: tf.Tensor, expected: tf.Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  const values = expected.dataSync();
  for (const [i, value] of actual.dataSync().entries()) expect(value).toBeCloseTo(values[i], 5);
}

/** A layer whose table is not 0. */
function positions(causal: boolean): RelativePositions {
  const layer = new RelativePositions({ heads: 2, buckets: 6, maxDistance: 5, causal });
  tf.tidy(() => {
    layer.apply(tf.zeros([1, 1, 4]));
    layer.weights[0].write(random([6, 2], 9));
  });
  return layer;
}

describe("RelativePositions", () => {
  it.each([true, false])("after a past are the last rows of those for all, causal %s", (causal) => {
    const layer = positions(causal);
    tf.tidy(() => {
      const whole = layer.apply(tf.zeros([1, 7, 4])) as tf.Tensor;
      expect(whole.shape).toEqual([2, 7, 7]);
      const last = layer.apply([tf.zeros([3, 2, 4]), tf.zeros([3, 5, 4])]) as tf.Tensor;
      expectClose(last, tf.slice(whole, [0, 5, 0], [-1, 2, -1]));
    });
    layer.dispose();
  });
});

describe("BiasedAttention", () => {
  it("without a bias is SelfAttention, and with one that forbids a key does not see it", () =>
    tf.tidy(() => {
      const qkv = random([2, 4, 12]);
      const [q, k, v] = tf.split(qkv, 3, -1);
      const lengths = tf.tensor1d([4, 2], "int32");
      const layer = new BiasedAttention({ heads: 2 });
      const expected = new SelfAttention({ heads: 2 }).apply([qkv, lengths]) as tf.Tensor;
      expectClose(layer.apply([q, k, v, lengths]) as tf.Tensor, expected);
      const forbids = tf.mul(tf.oneHot(tf.fill([2, 4], 3, "int32"), 4), -1e9); // the last key, [2, 4, 4]
      const shorter = [k, v].map((x) => tf.slice(x, [0, 0, 0], [-1, 3, -1]));
      expectClose(layer.apply([q, k, v, forbids]) as tf.Tensor, layer.apply([q, ...shorter]) as tf.Tensor);
    }));

  it("gives, piece by piece behind what came before, what it gives at once", () => {
    const biases = positions(true);
    tf.tidy(() => {
      const [q, k, v] = [1, 2, 3].map((seed) => random([2, 6, 4], seed));
      const layer = new BiasedAttention({ heads: 2, causal: true, scale: 1 });
      const whole = layer.apply([q, k, v, biases.apply(q) as tf.Tensor]) as tf.Tensor;
      const append = new AppendTokens();
      let past = [tf.zeros([2, 0, 4]), tf.zeros([2, 0, 4])];
      const pieces = [
        [0, 1],
        [1, 3],
        [4, 2],
      ].map(([first, count]) => {
        const [newQ, ...news] = [q, k, v].map((x) => tf.slice(x, [0, first, 0], [-1, count, -1]));
        const bias = biases.apply([newQ, past[0]]) as tf.Tensor;
        past = past.map((tokens, i) => append.apply([tokens, news[i]]) as tf.Tensor);
        return layer.apply([newQ, ...past, bias]) as tf.Tensor;
      });
      expectClose(tf.concat(pieces, 1), whole);
    });
    biases.dispose();
  });
});
