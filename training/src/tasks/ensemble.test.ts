import { describe, expect, it } from "vitest";
import type { Evaluation } from "./classification.ts";
import { ensembleOf } from "./ensemble.ts";

/** Three classes; the figures of a member are not what an ensemble is made of. */
const member = (...rows: number[][]): Evaluation => ({
  accuracy: Number.NaN,
  top5: Number.NaN,
  loss: Number.NaN,
  images: rows.length,
  probabilities: Float32Array.from(rows.flat()),
  labels: Int32Array.from(rows, (_, n) => n % 3),
});

describe("ensembleOf", () => {
  it("averages probabilities: two that are wrong in different ways are right together", () => {
    const a = member([0.4, 0.6, 0], [0.5, 0.45, 0.05]);
    const b = member([0.4, 0, 0.6], [0.1, 0.45, 0.45]);
    const { accuracy, top5, loss, images, probabilities } = ensembleOf([a, b]);
    expect([accuracy, top5, images]).toEqual([1, 1, 2]);
    expect(loss).toBeCloseTo(-(Math.log(0.4) + Math.log(0.45)) / 2, 6);
    const expected = [0.4, 0.3, 0.3, 0.3, 0.45, 0.25];
    for (const [i, p] of probabilities.entries()) expect(p).toBeCloseTo(expected[i], 6);
  });

  it("of one is that one", () => {
    const one = member([0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]);
    const { accuracy, loss, probabilities } = ensembleOf([one]);
    expect(accuracy).toBeCloseTo(2 / 3);
    expect(loss).toBeCloseTo(-(Math.log(0.2) + Math.log(0.8) + Math.log(0.4)) / 3, 6);
    expect(probabilities).toEqual(one.probabilities);
  });

  it("has a finite loss where all are sure and wrong", () => {
    expect(ensembleOf([member([0, 1, 0])]).loss).toBeCloseTo(149 * Math.LN2);
  });

  it("is wrong where one of them says nothing", () => {
    const silent = member([Number.NaN, Number.NaN, Number.NaN]);
    const { accuracy, top5, loss } = ensembleOf([member([1, 0, 0]), silent]);
    expect([accuracy, top5, loss]).toEqual([0, 0, Number.NaN]);
  });

  it("is of the same images and classes", () => {
    const a = member([0.4, 0.6, 0], [0.5, 0.45, 0.05]);
    expect(() => ensembleOf([a, member([0.4, 0.6, 0])])).toThrow("the same images and classes");
    expect(() => ensembleOf([a, { ...a, labels: Int32Array.of(0, 2) }])).toThrow("the same images and classes");
  });
});
