import { describe, expect, it } from "vitest";
import { logDiscretisedGaussian, logUpperTail } from "./discretised-gaussian.ts";

const values = Array.from({ length: 256 }, (_, k) => (2 * k) / 255 - 1);

describe("logUpperTail", () => {
  it.each([
    [0, Math.log(0.5)],
    [1, Math.log(0.15865525393145705)],
    [2, Math.log(0.02275013194817921)],
    [3, Math.log(0.0013498980316300946)],
    [6, Math.log(9.865876450376981e-10)],
    [40, -804.6084420137538],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ])("of %d is %d", (x, expected) => {
    expect(logUpperTail(x)).toBeCloseTo(expected, 11);
  });

  it("has no gap where its formula changes", () => {
    const [below, at] = [logUpperTail(3 - 1e-9), logUpperTail(3)];
    expect((below - at) / 1e-9).toBeCloseTo(3.2831, 2); // φ(3) / Q(3)
  });
});

describe("a discretised Gaussian", () => {
  it.each([
    [0, 0.5],
    [0.3, 0.01],
    [-0.9, 0.003],
    [1.2, 0.2],
    [0.1, 10],
  ])("around %d of deviation %d has the probability 1 in all", (mean, deviation) => {
    const sum = values.reduce((total, x) => total + Math.exp(logDiscretisedGaussian(x, mean, deviation)), 0);
    expect(sum).toBeCloseTo(1, 12);
  });

  it("is the density times a value's width where that is small", () => {
    const [mean, deviation] = [0.1, 0.5];
    for (const x of [values[10], values[140], values[250]]) {
      const density = Math.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * Math.sqrt(2 * Math.PI));
      expect(Math.exp(logDiscretisedGaussian(x, mean, deviation)) / (density * (2 / 255))).toBeCloseTo(1, 4);
    }
  });

  it("is finite however far off, and the same on both sides", () => {
    for (const x of values) {
      const far = logDiscretisedGaussian(x, 0.4, 1e-3);
      expect(Number.isFinite(far)).toBe(true);
      expect(logDiscretisedGaussian(-x, -0.4, 1e-3)).toBeCloseTo(far, 8);
    }
  });
});
