import { describe, expect, it } from "vitest";
import { median, peerRateOf, quantile, rateOf } from "./statistics.ts";

describe("quantiles", () => {
  it.each([
    [[3], 3],
    [[4, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[1, 1, 1, 1000], 1],
  ])("median of %j", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it("interpolate, and leave the sample as it is", () => {
    const values = [30, 10, 20];
    expect(quantile(values, 0.25)).toBe(15);
    expect(quantile(values, 1)).toBe(30);
    expect(values).toEqual([30, 10, 20]);
  });

  it("of nothing is no number", () => {
    expect(median([])).toBeNaN();
  });
});

describe("rates", () => {
  it("count items in the median step", () => {
    expect(rateOf([200, 100, 300, 200, 200], 32)).toEqual({
      items_per_s: 160,
      step_ms: 200,
      spread_ms: [200, 200],
      steps: 5,
    });
  });

  it("of a peer that takes four times as long has a ratio of 4", () => {
    const peer = peerRateOf([400, 400, 9000], [100, 100, 100], 128);
    expect(peer).toMatchObject({ items_per_s: 320, step_ms: 400, ratio: 4, spread_ms: [400, 4700] });
  });
});
