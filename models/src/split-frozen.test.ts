import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { freezeLayers } from "./freeze.ts";
import { seedDropout } from "./layers/index.ts";
import { createModel } from "./registry.ts";
import { splitFrozen } from "./split-frozen.ts";

beforeAll(() => tf.setBackend("cpu"));

/** Networks of small images, for what is slow on this backend. */
const small = (name: string) => createModel(name, { seed: 1, inputShape: [8, 8, 3] });

const blocks = ["denseblock1", "transition1", "denseblock2", "transition2"].map((part) => `features.${part}`);

describe("splitFrozen", () => {
  it.each([
    ["resnet20", ["stem"], 1],
    ["resnet20", ["all-but-head"], 1],
    ["densenet40", ["stem", ...blocks, "features.denseblock3.denselayer1"], 2], // the next layer reads both
    ["small-cnn", ["stem", "conv2"], 1],
  ])(
    "of %s with %j frozen gives what the network gives, and its gradients",
    (name, parts, reads) => {
      const model = small(name);
      freezeLayers(model, parts);
      seedDropout(model, 1, 2);
      const split = splitFrozen(model);
      if (!split) throw new Error("not split");
      const images = tf.randomNormal<tf.Rank.R4>(
        [1, ...(model.inputs[0].shape.slice(1) as [number, number, number])],
        0,
        1,
        "float32",
        3,
      );
      const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const step = (forward: () => tf.Tensor) => {
        const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(forward())) as tf.Scalar, variables);
        const numbers = [value, ...variables.map((variable) => grads[variable.name])].map((t) => [...t.dataSync()]);
        tf.dispose([value, grads]);
        return numbers;
      };
      const features = tf.tidy(() => split.below(images));
      expect(features).toHaveLength(reads);
      const before = tf.memory().numTensors;
      const apart = step(() => split.above(features));
      expect(tf.memory().numTensors).toBe(before);
      expect(apart).toEqual(step(() => model.apply(images, { training: true }) as tf.Tensor));
      tf.dispose([features, images]);
      model.dispose();
    },
    30_000,
  );

  it("keeps nothing of what is frozen for a backward pass", () => {
    const model = small("resnet20");
    freezeLayers(model, ["all-but-head"]);
    const { below, above } = splitFrozen(model) as NonNullable<ReturnType<typeof splitFrozen>>;
    const images = tf.zeros([1, 8, 8, 3]);
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const keptBy = (forward: () => tf.Tensor): number => {
      const before = tf.memory().numTensors;
      let kept = 0;
      tf.tidy(() => {
        tf.variableGrads(() => {
          const output = tf.tidy(forward);
          kept = tf.memory().numTensors - before;
          return tf.sum(output) as tf.Scalar;
        }, variables);
      });
      return kept;
    };
    const whole = keptBy(() => model.apply(images, { training: true }) as tf.Tensor);
    const features = tf.tidy(() => below(images));
    expect(keptBy(() => above(features))).toBeLessThan(whole / 10);
    tf.dispose([images, features]);
    model.dispose();
  });

  it("leaves nothing behind when the network is disposed of", () => {
    const before = tf.memory().numTensors;
    const model = small("small-cnn");
    freezeLayers(model, ["stem"]);
    expect(splitFrozen(model)).toBeDefined();
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("is not where the first layers learn", () => {
    const split = (name: string, parts: string[]) => {
      const model: tfl.LayersModel = createModel(name, { seed: null });
      if (parts.length > 0) freezeLayers(model, parts);
      const result = splitFrozen(model);
      model.dispose();
      return result;
    };
    expect(split("resnet20", [])).toBeUndefined();
    expect(split("resnet20", ["layer1"])).toBeUndefined();
    expect(split("resnet20", ["bn1"])).toBeUndefined();
  });
});
