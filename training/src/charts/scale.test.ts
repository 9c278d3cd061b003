import { describe, expect, it } from "vitest";
import { linearScale, logScale, stepScale } from "./scale.ts";

describe("linearScale", () => {
  it("ends on round numbers around the values", () => {
    const scale = linearScale([0.31, 2.28]);
    expect(scale.ticks).toEqual([0, 0.5, 1, 1.5, 2, 2.5]);
    expect(scale.place(1.25)).toBeCloseTo(0.5);
  });

  it("makes room around a single value, within the bounds of a share", () => {
    for (const value of [0, 0.5, 1, 1e-6, 12345, -3]) {
      const { ticks, place } = linearScale([value]);
      expect(ticks.length).toBeGreaterThan(1);
      expect(place(value)).toBeGreaterThanOrEqual(0);
      expect(place(value)).toBeLessThanOrEqual(1);
    }
    for (const value of [0, 1]) {
      const { ticks, place } = linearScale([value], { floor: 0, ceiling: 1 });
      expect(Math.min(...ticks)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...ticks)).toBeLessThanOrEqual(1);
      expect(place(value)).toBe(value);
    }
  });
});

describe("logScale", () => {
  it("ticks powers of ten", () => {
    const scale = logScale([0.02, 300]);
    expect(scale.ticks).toEqual([0.01, 0.1, 1, 10, 100, 1000]);
    expect(scale.place(1)).toBeCloseTo(0.4);
  });

  it("leaves some out where they are many", () => {
    expect(logScale([1e-12, 1e6]).ticks.length).toBeLessThanOrEqual(7);
  });
});

describe("stepScale", () => {
  it("ticks whole steps inside the range", () => {
    expect(stepScale([10, 7020], 5).ticks).toEqual([2000, 4000, 6000]);
    expect(stepScale([1, 3], 5).ticks).toEqual([1, 2, 3]);
  });

  it("puts a single step in the middle", () => {
    const scale = stepScale([351, 351], 5);
    expect(scale.ticks).toEqual([351]);
    expect(scale.place(351)).toBe(0.5);
  });
});
