import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { countParams } from "../count.ts";
import { findModel } from "../registry.ts";
import { inceptionV3 } from "./inception.ts";

/**
 * What torchvision publishes of its ImageNet networks, in the metadata of their weights: `num_params`, and `_ops`, which
 * are thousand millions of multiply-adds. That our entries' figures are those of the networks is in the generated tests.
 */
const published: [name: string, params: number, ops: number][] = [
  ["alexnet", 61_100_840, 0.714],
  ["vgg11", 132_863_336, 7.609],
  ["vgg11-bn", 132_868_840, 7.609],
  ["vgg13", 133_047_848, 11.308],
  ["vgg13-bn", 133_053_736, 11.308],
  ["vgg16", 138_357_544, 15.47],
  ["vgg16-bn", 138_365_992, 15.47],
  ["vgg19", 143_667_240, 19.632],
  ["vgg19-bn", 143_678_248, 19.632],
  ["resnet18", 11_689_512, 1.814],
  ["resnet34", 21_797_672, 3.664],
  ["resnet50", 25_557_032, 4.089],
  ["resnet101", 44_549_160, 7.801],
  ["resnet152", 60_192_808, 11.514],
  ["densenet121", 7_978_856, 2.834],
  ["densenet161", 28_681_000, 7.728],
  ["densenet169", 14_149_480, 3.36],
  ["densenet201", 20_013_928, 4.291],
  ["inception-v3", 27_161_264 - 3_326_696, 5.713], // theirs has an auxiliary classifier, which their operations leave out
  ["vit-b16", 86_567_656, 17.564],
  ["convnext-tiny", 28_589_128, 4.456],
];

describe("torchvision's published figures", () => {
  it.each(published)("%s", (name, params, ops) => {
    const entry = findModel(name);
    expect(entry.params).toBe(params);
    expect((entry.macs / 1e9).toFixed(3)).toBe(ops.toFixed(3));
  });

  it("inception-v3 with its auxiliary classifier", async () => {
    await tf.setBackend("cpu");
    const model = inceptionV3({ auxLogits: true, seed: null });
    expect(countParams(model)).toBe(27_161_264);
    expect(model.outputs.map(({ shape }) => shape)).toEqual([
      [null, 1000],
      [null, 1000],
    ]);
    model.dispose();
  });
});
