import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { loadWeights, saveWeights, stateDict } from "../weights/index.ts";
import { densenetCifar } from "./densenet.ts";

beforeAll(() => tf.setBackend("cpu"));

describe("a DenseNet that keeps all for the backward pass", () => {
  it.each([false, true])("is the one that computes it again, bottleneck %s", async (bottleneck) => {
    const options = { layers: 2, growth: 3, inputShape: [8, 8, 3], bottleneck } as const;
    const [again, keeping] = [densenetCifar(options), densenetCifar({ ...options, keepAll: true, seed: 5 })];
    expect(stateDict(keeping).map(({ name }) => name)).toEqual(stateDict(again).map(({ name }) => name));
    loadWeights(keeping, await saveWeights(again));
    const x = tf.randomNormal<tf.Rank.R4>([2, 8, 8, 3], 0, 1, undefined, 1);
    const [a, b] = [again, keeping].map((model) => {
      const entries = stateDict(model).filter(({ variable }) => variable.trainable);
      const variables = entries.map(({ variable }) => variable.read() as tf.Variable);
      const loss = () => tf.sum(tf.square(model.apply(x, { training: true }) as tf.Tensor)) as tf.Scalar;
      const { value, grads } = tf.variableGrads(loss, variables);
      return [value, ...variables.map(({ name }) => grads[name])];
    });
    for (const [i, expected] of b.entries()) {
      const scale = Math.max(1e-3, tf.max(tf.abs(expected)).arraySync() as number);
      expect((tf.max(tf.abs(tf.sub(a[i], expected))).arraySync() as number) / scale).toBeLessThan(1e-4);
    }
  });
});
