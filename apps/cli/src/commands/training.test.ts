import { findClassifier } from "@tfjs-zoo/models";
import { describe, expect, it } from "vitest";
import { checkImageSize } from "./training.ts";

const cifar10 = { name: "cifar10", shape: [32, 32, 3] } as const;

describe("checkImageSize", () => {
  it.each(["resnet20", "vgg11-cifar", "lenet5"])("lets %s have CIFAR's images", (name) => {
    expect(() => checkImageSize(findClassifier(name), cifar10)).not.toThrow();
  });

  it.each([
    ["resnet18", "resnet18 is for images of 224x224x3, and those of cifar10 are 32x32x3: take resnet18-cifar"],
    ["densenet121", "and those of cifar10 are 32x32x3: give folder:PATH, whose pictures are resized"],
  ])("does not let %s", (name, message) => {
    expect(() => checkImageSize(findClassifier(name), cifar10)).toThrow(message);
  });
});
