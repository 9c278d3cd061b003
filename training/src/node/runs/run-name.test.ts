import { expect, it } from "vitest";
import { runName } from "./run-name.ts";

const config = { model: "resnet20", dataset: "cifar10", recipeName: "quick", seed: 7 };

it("joins model, data set, recipe and seed", () => {
  expect(runName(config)).toBe("resnet20-cifar10-quick-s7");
});

it("keeps only the last part of a path, and no character that a file system refuses", () => {
  expect(runName({ ...config, dataset: "../my photos/cats & dogs/" })).toBe("resnet20-cats-dogs-quick-s7");
  expect(runName({ ...config, dataset: "..", recipeName: undefined })).toBe("resnet20-unnamed-custom-s7");
});
