import { describe, expect, it } from "vitest";
import { makeIdx } from "../../test/support.ts";
import { parseIdx } from "./idx.ts";
import { idxImages } from "./mnist.ts";

describe("parseIdx", () => {
  it("gives dimensions and values", () => {
    const { dimensions, values } = parseIdx(makeIdx([2, 1, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)), "x");
    expect(dimensions).toEqual([2, 1, 3]);
    expect([...values]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("refuses a header that lies or is none", () => {
    const values = new Uint8Array(6);
    expect(() => parseIdx(makeIdx([2, 4], values), "x")).toThrow("x says that it holds 2x4 = 8 bytes, but 6 follow");
    expect(() => parseIdx(makeIdx([4294967295, 4294967295, 4294967295], values), "x")).toThrow("but 6 follow");
    expect(() => parseIdx(Buffer.from("<!doctype html>"), "x")).toThrow("x is no idx file");
    expect(() => parseIdx(new Uint8Array(3), "x")).toThrow("x is no idx file");
    const manyDimensions = makeIdx([6], values);
    manyDimensions[3] = 255;
    expect(() => parseIdx(manyDimensions, "x")).toThrow("x is no idx file");
  });
});

describe("idxImages", () => {
  const files = (trainLabels: number[]) =>
    new Map([
      ["train-images-idx3-ubyte.gz", makeIdx([2, 2, 1], Uint8Array.of(1, 2, 3, 4))],
      ["train-labels-idx1-ubyte.gz", makeIdx([trainLabels.length], Uint8Array.from(trainLabels))],
      ["t10k-images-idx3-ubyte.gz", makeIdx([1, 2, 1], Uint8Array.of(5, 6))],
      ["t10k-labels-idx1-ubyte.gz", makeIdx([1], Uint8Array.of(1))],
    ]);

  it("pairs images with labels", () => {
    const { train, test, shape } = idxImages(files([0, 1]), 2);
    expect([train.count, test.count, shape]).toEqual([2, 1, [2, 1, 1]]);
    const into = new Uint8Array(2);
    train.read([1], into);
    expect([...into]).toEqual([3, 4]);
  });

  it("refuses files that disagree", () => {
    expect(() => idxImages(files([0]), 2)).toThrow("as many images as labels");
    expect(() => idxImages(files([0, 7]), 2)).toThrow("the label 7 of 2 classes");
  });
});
