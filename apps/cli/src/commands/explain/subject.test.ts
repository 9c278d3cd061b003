import { inMemoryImages } from "@tfjs-zoo/datasets";
import type { ClassifierInfo } from "@tfjs-zoo/training/node";
import { describe, expect, it } from "vitest";
import { batchSizeFor, findClass, percent, sampleOf } from "./subject.ts";

const info: ClassifierInfo = {
  model: "net",
  dataset: "digits",
  classes: ["one", "2", "1"],
  inputShape: [1, 1, 1],
  mean: [0],
  std: [1],
};

describe("findClass", () => {
  it("takes a name before a number", () => {
    expect(findClass(info, "1")).toBe(2);
    expect(findClass(info, "0")).toBe(0);
    expect(findClass(info, "one")).toBe(0);
  });

  it.each(["on", "3", "-1", "0x1", ""])("refuses %j with the nearest", (text) => {
    expect(() => findClass(info, text)).toThrow(/net knows no class ".*": did you mean ".*"\?/);
  });
});

describe("a sample", () => {
  const set = inMemoryImages(
    Uint8Array.from({ length: 10 }, (_, i) => 10 * i),
    Uint16Array.from({ length: 10 }, (_, i) => i),
    [1, 1, 1],
  );

  it("is spread over the set, and has its images and labels", async () => {
    const sample = sampleOf(set, 4);
    expect(sample.indices).toEqual([0, 2, 5, 7]);
    expect(Array.from(sample.labels)).toEqual([0, 2, 5, 7]);
    const pixels = new Uint8Array(2);
    await sample.read([3, 1], pixels);
    expect(Array.from(pixels)).toEqual([70, 20]);
  });

  it("of more than there is is the set", () => {
    expect(sampleOf(set, 100).indices).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

it("large images are run fewer at a time", () => {
  expect([batchSizeFor([28, 28, 1]), batchSizeFor([32, 32, 3]), batchSizeFor([224, 224, 3])]).toEqual([100, 100, 2]);
});

it("a share is never shown as all when it is not", () => {
  expect([percent(0.98765), percent(0.9999), percent(1), percent(0)]).toEqual([
    "98.8 %",
    "over 99.9 %",
    "100.0 %",
    "0.0 %",
  ]);
});
