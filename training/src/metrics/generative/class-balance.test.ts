import { describe, expect, it } from "vitest";
import { classBalance, collapseSigns, shareRight } from "./class-balance.ts";

/** So many samples of each class, each with this probability. */
function samplesOf(counts: readonly number[], probability: number): Float32Array {
  const other = (1 - probability) / (counts.length - 1);
  return Float32Array.from(
    counts.flatMap((count, k) =>
      Array.from({ length: count }, () => counts.map((_, j) => (j === k ? probability : other))).flat(),
    ),
  );
}

const names = ["cat", "dog", "car", "ship"];

describe("classBalance", () => {
  it("tells shares and confidence", () => {
    const { shares, confidence, rare, frequent } = classBalance(samplesOf([22, 34, 22, 22], 0.875), 4);
    for (const [k, share] of [0.22, 0.34, 0.22, 0.22].entries()) expect(shares[k]).toBeCloseTo(share, 12);
    expect(confidence).toBeCloseTo(0.875, 12);
    expect([rare, frequent]).toEqual([[], []]);
  });

  it("tells a class that hardly comes, and one that comes too often, beyond chance", () => {
    const balance = classBalance(samplesOf([0, 70, 15, 15], 0.9), 4);
    expect(balance).toMatchObject({ rare: [0], frequent: [1] });
    expect(classBalance(samplesOf([20, 40, 20, 20], 0.9), 4)).toMatchObject({ rare: [], frequent: [1] });
    // Of four samples one class may well be missing.
    expect(classBalance(samplesOf([0, 3, 1, 0], 0.9), 4)).toMatchObject({ rare: [], frequent: [] });
  });

  it("expects the shares of the real images", () => {
    expect(classBalance(samplesOf([0, 70, 15, 15], 0.9), 4, [0, 0.7, 0.15, 0.15])).toMatchObject({
      rare: [],
      frequent: [],
    });
  });

  it("refuses what does not fit", () => {
    expect(() => classBalance(new Float32Array(7), 4)).toThrow(/^7 probabilities and 4 shares of 4 classes/);
    expect(() => classBalance(new Float32Array(), 4)).toThrow(/^0 probabilities/);
  });
});

describe("shareRight", () => {
  it("counts rows whose label is the likeliest", () => {
    expect(shareRight(samplesOf([2, 1, 0], 0.8), [0, 1, 1])).toBeCloseTo(2 / 3, 12);
  });
});

describe("collapseSigns", () => {
  it("says in words what is missing", () => {
    const balance = classBalance(samplesOf([0, 70, 15, 15], 0.9), 4);
    expect(collapseSigns(balance, names, 0.01)).toEqual([
      "too few of cat (0.0 % of samples, 25.0 % of real images)",
      "too many of dog (70.0 % of samples, 25.0 % of real images)",
      "only 1.0 % of real images lie among the samples",
    ]);
    expect(collapseSigns(classBalance(samplesOf([25, 25, 25, 25], 0.9), 4), names, 0.6)).toEqual([]);
  });
});
