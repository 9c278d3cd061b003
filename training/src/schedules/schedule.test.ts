import { describe, expect, it } from "vitest";
import { constant, cosine, inverseSqrt, oneCycle, stepwise, withWarmup } from "./schedule.ts";

describe("schedules", () => {
  it("constant stays at the peak", () => expect([0, 5, 10].map((p) => constant(p, 10))).toEqual([1, 1, 1]));

  it("step divides at its milestones", () => {
    const schedule = stepwise([0.5, 0.75], 0.1);
    expect([0, 4.99, 5, 7.49, 7.5, 10].map((p) => +schedule(p, 10).toFixed(6))).toEqual([1, 1, 0.1, 0.1, 0.01, 0.01]);
  });

  it("cosine goes from 1 through 1/2 to its end", () => {
    expect([0, 5, 10, 12].map((p) => cosine()(p, 10))).toEqual([1, 0.5, 0, 0]);
    expect(cosine(0.1)(10, 10)).toBeCloseTo(0.1);
  });

  it("one-cycle rises to 1 and falls to nearly nothing", () => {
    const schedule = oneCycle(0.25, 0.1, 0.002);
    expect(schedule(0, 8)).toBeCloseTo(0.1);
    expect(schedule(2, 8)).toBeCloseTo(1);
    expect(schedule(8, 8)).toBeCloseTo(0.002);
    expect(schedule(1, 8)).toBeLessThan(schedule(1.5, 8));
    expect(schedule(3, 8)).toBeGreaterThan(schedule(4, 8));
  });

  it("inverse square root climbs to its peak and falls with the root of the steps", () => {
    const schedule = inverseSqrt(4);
    expect([1, 2, 4, 16, 64].map((p) => schedule(p, 100))).toEqual([0.25, 0.5, 1, 0.5, 0.25]);
    expect(schedule(0, 100)).toBeLessThan(0.01);
    expect(inverseSqrt(0)(3, 10)).toBe(0.5);
  });

  it("warm-up climbs from nothing and then lets go", () => {
    const schedule = withWarmup(constant, 2);
    expect(schedule(0, 10)).toBeLessThan(0.01);
    expect(schedule(1, 10)).toBeCloseTo(0.5, 2);
    expect([2, 5].map((p) => schedule(p, 10))).toEqual([1, 1]);
  });
});
