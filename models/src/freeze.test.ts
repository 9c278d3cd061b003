import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { freezeLayers, headOf } from "./freeze.ts";
import { createModel, findClassifier } from "./registry.ts";
import { stateDict } from "./weights/names.ts";

beforeAll(() => tf.setBackend("cpu"));

describe("the parts of a network", () => {
  it.each([
    ["resnet20", ["conv1", "bn1"], "fc"],
    ["preact-resnet20", ["conv1"], "fc"],
    ["densenet40", ["features.conv0"], "classifier"],
    ["vgg11-bn-cifar", ["features.0", "features.1"], "classifier"],
    ["alexnet-cifar", ["features.0"], "classifier.6"],
    ["airbench94", ["0"], "7"],
    ["lenet5", ["conv1"], "fc3"],
    ["vit-tiny-cifar", ["patch_embed.proj", "cls_token", "pos_embed"], "head"],
    ["mixer-cifar", ["stem.proj"], "head"],
    ["convnext-atto-cifar", ["stem.0", "stem.1"], "head.fc"],
  ])("%s has the stem %j and the head %s", (name, stem, head) => {
    const model = createModel(name, { seed: null });
    expect(freezeLayers(model, ["stem"])).toEqual(stem);
    expect(headOf(model).name).toBe(head);
    expect(freezeLayers(model, ["all-but-head"]).at(-1)).not.toBe(head);
    expect(new Set(model.trainableWeights.map(({ originalName }) => originalName.split("/")[0]))).toEqual(
      new Set([head]),
    );
    model.dispose();
  });

  it("are found by their paths, whole names at a time", () => {
    const model = createModel("resnet20", { seed: null });
    const block = ["conv1", "bn1", "conv2", "bn2"].map((name) => `layer1.0.${name}`);
    expect(freezeLayers(model, ["layer1.0", "fc", "layer1.0.bn1"])).toEqual([...block, "fc"]);
    expect(() => freezeLayers(model, ["layer"])).toThrow(
      'resnet20 has no layers under "layer": did you mean "layer1"?',
    );
    expect(() => freezeLayers(model, ["stemm"])).toThrow('did you mean "stem"?');
    model.dispose();
  });

  it("can't all be frozen", () => {
    const model = createModel("lenet5", { seed: null });
    expect(() => freezeLayers(model, ["all-but-head", "fc3"])).toThrow(
      "freezing all-but-head,fc3 leaves nothing of lenet5 to train: freeze less",
    );
    expect(model.trainableWeights).toHaveLength(10);
    model.dispose();
  });
});

describe("a frozen layer", () => {
  const narrow = (name: string) => findClassifier(name).narrow?.({ seed: 1 }) ?? createModel(name, { seed: 1 });
  const images = (model: tfl.LayersModel) =>
    tf.randomNormal([1, ...(model.inputs[0].shape.slice(1) as number[])], 1, 1, "float32", 3);
  /** Loss and gradients of a step, and which kernels it ran. */
  const step = async (model: tfl.LayersModel, x: tf.Tensor) => {
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const loss = () => tf.sum(tf.square(model.apply(x, { training: true }) as tf.Tensor)) as tf.Scalar;
    return tf.profile(() => void tf.dispose(tf.variableGrads(loss, variables)));
  };

  it.each(["resnet20", "densenet40"])(
    "of %s keeps its running statistics, and there is no backward pass below the lowest that learns",
    async (name) => {
      const model = narrow(name);
      const x = images(model);
      freezeLayers(model, ["all-but-head"]);
      const state = () => stateDict(model).map(({ variable }) => [...variable.read().dataSync()]);
      const before = state();
      const { kernelNames } = await step(model, x);
      expect(state()).toEqual(before);
      expect(kernelNames).toContain("Conv2D");
      expect(kernelNames.filter((kernel) => /Conv2DBackprop/.test(kernel))).toEqual([]);
      x.dispose();
      model.dispose();
    },
    30_000,
  );

  it("computes in training what it does in inference", () => {
    const model = narrow("densenet40");
    const x = images(model);
    for (const layer of model.layers) layer.trainable = false;
    const [training, inference] = [true, false].map((training) =>
      (model.apply(x, { training }) as tf.Tensor).dataSync(),
    );
    expect([...training]).toEqual([...inference]);
    x.dispose();
    model.dispose();
  });
});
