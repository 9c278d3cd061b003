import { readFileSync } from "node:fs";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../errors.ts";
import { BatchNorm, Conv2D, Dense, DepthwiseConv2D, Flatten, MaxPool2D } from "../layers/index.ts";
import { toFloat32 } from "./floats.ts";
import { loadWeights } from "./load-weights.ts";
import { stateDict } from "./names.ts";
import { readSafetensors, type SafeTensor, writeSafetensors } from "./safetensors.ts";
import { saveWeights } from "./save-weights.ts";
import { chain, inputFor, relativeError, scatter, tinyLeNet, tinyResNet } from "./test-nets.ts";

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));
const snapshot = (model: tfl.LayersModel) => stateDict(model).map(({ variable }) => [...variable.read().dataSync()]);

beforeAll(async () => {
  await tf.setBackend("cpu");
});

it("names weights in PyTorch's order", () => {
  const names = stateDict(tinyResNet()).map(({ name }) => name);
  const norm = (path: string) => ["weight", "bias", "running_mean", "running_var"].map((short) => `${path}.${short}`);
  const block = (path: string) => [
    `${path}.conv1.weight`,
    ...norm(`${path}.bn1`),
    `${path}.conv2.weight`,
    ...norm(`${path}.bn2`),
  ];
  expect(names).toEqual([
    "conv1.weight",
    ...norm("bn1"),
    ...block("layer1.0"),
    ...block("layer2.0"),
    "layer2.0.downsample.0.weight",
    ...norm("layer2.0.downsample.1"),
    "fc.weight",
    "fc.bias",
  ]);
});

/** The network of fixtures/make-torch-net.py. */
function torchNet(): tfl.LayersModel {
  const input = tfl.input({ shape: [7, 8, 2] });
  const output = chain(
    input,
    new Conv2D({ name: "conv", filters: 4, kernelSize: [3, 2], strides: [2, 1], padding: [1, 0] }),
    new BatchNorm({ name: "bn" }),
    new DepthwiseConv2D({ name: "depthwise", kernelSize: 3, padding: 1, depthMultiplier: 2, useBias: false }),
    new Conv2D({ name: "grouped", filters: 4, kernelSize: [1, 2], groups: 2 }),
    new MaxPool2D({ name: "pool", poolSize: 3, strides: 2, padding: 1 }),
    new Flatten({ name: "flatten" }),
    new Dense({ name: "fc", units: 3 }),
  );
  return tfl.model({ inputs: input, outputs: output, name: "torch-net" });
}

describe("a file by PyTorch", () => {
  it("gives PyTorch's outputs", () => {
    const model = torchNet();
    loadWeights(model, fixture("torch-net.safetensors"));
    const { tensors } = readSafetensors(fixture("torch-net-io.safetensors"));
    const tensor = (name: string) => {
      const entry = tensors.get(name) as SafeTensor;
      return tf.tensor(toFloat32(entry), [...entry.shape]);
    };
    expect(relativeError(model.predict(tensor("input")) as tf.Tensor, tensor("output"))).toBeLessThan(1e-6);
  });

  it("is what we write for the same weights, but for the count of batches", async () => {
    const model = torchNet();
    const theirs = readSafetensors(fixture("torch-net.safetensors"));
    loadWeights(model, theirs);
    const ours = readSafetensors(await saveWeights(model));
    expect(ours.metadata).toEqual(theirs.metadata);
    expect([...ours.tensors.keys()]).toEqual([...theirs.tensors.keys()]);
    for (const [name, tensor] of theirs.tensors)
      expect(ours.tensors.get(name)).toEqual(
        name === "bn.num_batches_tracked" ? { ...tensor, data: new Uint8Array(8) } : tensor,
      );
  });
});

describe.each([
  ["resnet", tinyResNet],
  ["lenet", tinyLeNet],
])("saving and loading a small %s", (_, build) => {
  it("gives the same weights and outputs back, without a leak", async () => {
    const [model, other] = [build(), build()];
    for (const variable of other.weights) variable.write(tf.zerosLike(variable.read()));
    const bytes = await saveWeights(model);
    expect(await saveWeights(model)).toEqual(bytes);
    const before = tf.memory().numTensors;
    expect(loadWeights(other, bytes)).toEqual({ missing: [], extra: [] });
    expect(tf.memory().numTensors).toBe(before);
    expect(snapshot(other)).toEqual(snapshot(model));
    const x = inputFor(model);
    expect(relativeError(other.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor)).toBe(0);
  });

  it("rounds to F16 in half the size", async () => {
    const [model, other] = [build(), build()];
    const bytes = await saveWeights(model, { dtype: "F16", metadata: { epoch: "3" } });
    expect(readSafetensors(bytes).metadata).toEqual({ format: "pt", model: model.name, epoch: "3" });
    loadWeights(other, bytes);
    const [expected, actual] = [snapshot(model).flat(), snapshot(other).flat()];
    for (const [i, x] of expected.entries())
      expect(Math.abs(actual[i] - x)).toBeLessThanOrEqual(Math.abs(x) * 2 ** -11 + 2 ** -25);
  });
});

it("does not save as F16 what F16 can't hold", async () => {
  const model = tinyResNet();
  model.weights[0].write(tf.fill(model.weights[0].shape as number[], 65520));
  await expect(saveWeights(model, { dtype: "F16" })).rejects.toThrow(InputError);
});

describe("weights that don't fit", () => {
  type Change = (tensors: Map<string, SafeTensor>) => void;
  const reshape =
    (name: string, shape: number[]): Change =>
    (tensors) => {
      tensors.set(name, { ...(tensors.get(name) as SafeTensor), shape });
    };
  const scalar: SafeTensor = { dtype: "I64", shape: [], data: new Uint8Array(8) };
  const cases: [string, Change, RegExp][] = [
    ["one missing", (tensors) => tensors.delete("fc.bias"), /tiny-resnet \(32 tensors\): 1 missing \(fc.bias\)$/],
    ["one extra", (tensors) => tensors.set("fc2.bias", scalar), /: 1 extra \(fc2.bias\)$/],
    ["one transposed", reshape("fc.weight", [8, 5]), /: 1 mis-shaped \(fc.weight is \[8, 5\], expected \[5, 8\]\)$/],
    [
      "an integer",
      (tensors) => tensors.set("fc.bias", { dtype: "I32", shape: [5], data: new Uint8Array(20) }),
      /fc.bias is I32/,
    ],
    ["all gone", (tensors) => tensors.clear(), /: 32 missing \(conv1.weight, bn1.weight, bn1.bias, …\)$/],
    ["a name with a line break", (tensors) => tensors.set("a\nb", scalar), /1 extra \(a\\nb\)$/],
  ];
  it.each(cases)("%s: one line, nothing loaded", async (_, change, message) => {
    const source = readSafetensors(await saveWeights(tinyResNet()));
    change(source.tensors);
    const model = tinyResNet();
    for (const variable of model.weights) variable.write(tf.zerosLike(variable.read()));
    const before = snapshot(model);
    for (const file of [source, writeSafetensors(source.tensors, source.metadata)]) {
      expect(() => loadWeights(model, file)).toThrow(message);
      expect(() => loadWeights(model, file)).toThrow(InputError);
      expect(() => loadWeights(model, file)).not.toThrow(/\n/);
    }
    expect(snapshot(model)).toEqual(before);
  });

  it("of another architecture are called so", async () => {
    const bytes = await saveWeights(tinyResNet("other-resnet", { channels: 8 }));
    expect(() => loadWeights(tinyResNet(), bytes)).toThrow(
      /mis-shaped .*; the file says that it is for "other-resnet"$/,
    );
    expect(() => loadWeights(tinyLeNet(), bytes)).toThrow(/missing .* extra .* "other-resnet"$/);
  });

  it("load in part when that is wanted, but never in a wrong shape", async () => {
    const source = readSafetensors(await saveWeights(tinyResNet()));
    source.tensors.delete("fc.bias");
    source.tensors.set("fc2.bias", scalar);
    const model = scatter(tinyResNet());
    expect(loadWeights(model, source, { strict: false })).toEqual({ missing: ["fc.bias"], extra: ["fc2.bias"] });
    reshape("fc.weight", [8, 5])(source.tensors);
    expect(() => loadWeights(model, source, { strict: false })).toThrow(/mis-shaped/);
  });
});

describe("weights of eight bits", () => {
  it("come back within half a step of their channel's scale, and all else exactly", async () => {
    const [model, loaded] = [torchNet(), torchNet()];
    scatter(model);
    const bytes = await saveWeights(model, { dtype: "I8" });
    loadWeights(loaded, bytes);
    const { tensors } = readSafetensors(bytes);
    for (const [i, { name, variable }] of stateDict(model).entries()) {
      const [before, after] = [variable, stateDict(loaded)[i].variable].map((v) => v.read().dataSync());
      const scales = tensors.get(`${name}_scale`);
      expect(scales === undefined).toBe(variable.shape.length < 2);
      const step = scales === undefined ? 0 : Math.max(...toFloat32(scales));
      for (const [k, value] of before.entries()) expect(Math.abs(value - after[k])).toBeLessThanOrEqual(0.501 * step);
    }
    expect(
      relativeError(loaded.predict(inputFor(model)) as tf.Tensor, model.predict(inputFor(model)) as tf.Tensor),
    ).toBeLessThan(0.05);
    expect(bytes.length).toBeLessThan((await saveWeights(model)).length);
  });

  it("keep a channel of zeros", async () => {
    const model = torchNet();
    loadWeights(model, await saveWeights(model, { dtype: "I8" }));
    expect(snapshot(model).flat().every(Number.isFinite)).toBe(true);
  });

  it("need their scales", async () => {
    const { tensors } = readSafetensors(await saveWeights(torchNet(), { dtype: "I8" }));
    tensors.delete("fc.weight_scale");
    expect(() => loadWeights(torchNet(), { tensors, metadata: {} })).toThrow(
      "1 not usable (fc.weight is I8 without 3 F32 scales beside it)",
    );
  });
});
