import { readFileSync } from "node:fs";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { classifiers } from "../registry.ts";
import { alexnet } from "../vision/alexnet.ts";
import { convnext } from "../vision/convnext.ts";
import { densenet } from "../vision/densenet.ts";
import { mlpMixer } from "../vision/mlp-mixer.ts";
import { resnet } from "../vision/resnet.ts";
import { resnetCifar } from "../vision/resnet-cifar.ts";
import { vit } from "../vision/vit.ts";
import { matchNames, sameNumbers } from "./foreign-names.ts";
import { importWeights } from "./import-weights.ts";
import { stateDict } from "./names.ts";
import { readSafetensors, type SafeTensor, writeSafetensors } from "./safetensors.ts";
import { saveWeights } from "./save-weights.ts";

beforeAll(() => tf.setBackend("cpu"));

interface Listed {
  library: string;
  name: string;
  tensors: string[];
}

const lists: Listed[] = JSON.parse(readFileSync(new URL("./fixtures/foreign-names.json", import.meta.url), "utf8"));

/** The networks as deep as they are there, and narrow: names tell the depth only. */
const deep: { [name: string]: () => tfl.LayersModel } = {
  alexnet: () => alexnet({ widths: [1, 1, 1, 1, 1], units: 1, inputShape: [67, 67, 3], seed: null }),
  vgg11_bn: () => classifiers.get("vgg11-bn")?.narrow?.({ seed: null }) as tfl.LayersModel,
  resnet18: () => resnet({ depths: [2, 2, 2, 2], block: "basic", width: 1, inputShape: [33, 33, 3], seed: null }),
  resnet50: () => resnet({ depths: [3, 4, 6, 3], block: "bottleneck", width: 1, inputShape: [33, 33, 3], seed: null }),
  densenet121: () => densenet({ layers: [6, 12, 24, 16], growth: 1, width: 2, inputShape: [64, 64, 3], seed: null }),
  convnext_tiny: () => convnext({ depths: [3, 3, 9, 3], widths: [1, 1, 1, 1], inputShape: [32, 32, 3], seed: null }),
  vit_b_16: () => vit({ depth: 12, dim: 3, heads: 3, inputShape: [32, 32, 3], seed: null }),
  vit_base_patch16_224: () => vit({ depth: 12, dim: 3, heads: 3, inputShape: [32, 32, 3], seed: null }),
  mixer_b16_224: () =>
    mlpMixer({ depth: 12, dim: 1, tokenUnits: 1, channelUnits: 1, inputShape: [32, 32, 3], seed: null }),
};

const applied: { [network: string]: string[] } = {
  "torchvision convnext_tiny": ["torchvision's ConvNeXt"],
  "torchvision vit_b_16": ["torchvision's ViT"],
  "timm vgg11_bn": ["timm's VGG"],
};

it.each(lists)("the names in $library's $name are all of ours", ({ library, name, tensors }) => {
  const network = deep[name]();
  const wanted = new Set(stateDict(network).map((entry) => entry.name));
  network.dispose();
  const names = tensors.filter((tensor) => !tensor.endsWith("num_batches_tracked"));
  const { renamed, applied: rules } = matchNames(names, wanted);
  expect([...renamed.values()].sort()).toEqual([...wanted].sort());
  expect(rules).toEqual(applied[`${library} ${name}`] ?? []);
});

describe("a checkpoint with the names of", () => {
  const replaced =
    (...pairs: [RegExp, string][]) =>
    (name: string) =>
      pairs.reduce((text, [from, to]) => text.replace(from, to), name);
  const weiaicunzai = (name: string) => {
    const [conv, bn] = [0, 1].map((kind) => (n: string) => `.residual_function.${3 * (Number(n) - 1) + kind}.`);
    return name
      .replace(/^conv1\./, "conv1.0.")
      .replace(/^bn1\./, "conv1.1.")
      .replace(/^layer(\d)/, (_, n) => `conv${Number(n) + 1}_x`)
      .replace(/\.conv(\d)\./, (_, n) => conv(n))
      .replace(/\.bn(\d)\./, (_, n) => bn(n))
      .replace(/\.downsample\./, ".shortcut.");
  };
  const forms: [string, "A" | "B", (name: string) => string, string[]][] = [
    ["akamaster's ResNets", "A", replaced([/^/, "module."], [/fc\./, "linear."]), ["without module.", "linear -> fc"]],
    [
      "akamaster's later ResNets",
      "A",
      replaced([/conv(\d)\./, "compressible_conv$1."], [/fc\./, "compressible_linear."]),
      ["compressible_ -> nothing", "linear -> fc"],
    ],
    [
      "kuangliu's ResNets, from several GPUs",
      "B",
      replaced([/^/, "module."], [/fc\./, "linear."], [/\.downsample\./, ".shortcut."]),
      ["without module.", "linear -> fc", "shortcut -> downsample"],
    ],
    ["weiaicunzai's ResNets", "B", weiaicunzai, ["residual functions", "shortcut -> downsample"]],
    ["Lightning", "A", replaced([/^/, "model.net."]), ["without model.", "without net."]],
    ["timm, compiled", "B", replaced([/^/, "_orig_mod."], [/fc\./, "head.fc."]), ["without _orig_mod.", "head -> fc"]],
    ["ours", "A", (name) => name, []],
  ];
  it.each(forms)("%s is imported, value by value", async (_, shortcut, rename, rules) => {
    const build = (seed: number | null) => resnetCifar({ n: 1, widths: [4, 6, 8], shortcut, seed });
    const saved = await saveWeights(build(3));
    const tensors = new Map<string, SafeTensor>();
    for (const [name, tensor] of readSafetensors(saved).tensors) tensors.set(rename(name), tensor);
    expect(tensors.size).toBe(readSafetensors(saved).tensors.size);
    const model = build(null);
    const report = importWeights(model, writeSafetensors(tensors));
    expect(report).toEqual({ format: "safetensors", matched: stateDict(model).length, rules, unused: [] });
    expect(Buffer.compare(await saveWeights(model), saved)).toBe(0);
  });
});

it.each<[number[], number[], boolean]>([
  [[4096, 512, 7, 7], [4096, 25088], true],
  [[96, 1, 1], [96], true],
  [[10, 64, 1, 1], [10, 64], true],
  [[64, 10], [10, 64], false],
  [[4, 6, 2, 2], [6, 16], false],
  [[12], [3, 4], false],
  [[0], [], false],
])("numbers of shape %j as %j: %s", (shape, wanted, same) => {
  expect(sameNumbers(shape, wanted)).toBe(same);
});
