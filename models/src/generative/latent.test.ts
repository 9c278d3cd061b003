import { describe, expect, it } from "vitest";
import { randomStream } from "../random.ts";
import { drawLatents, interpolation, traversal } from "./latent.ts";

const length = (z: readonly number[]) => Math.hypot(...z);

describe("an interpolation", () => {
  const [a, b] = drawLatents(2, 50, randomStream(1));

  it("begins and ends where it is to, and keeps to the prior's shell", () => {
    const way = interpolation(a, b, 7);
    expect(way).toHaveLength(7);
    for (const [at, end] of [
      [0, a],
      [6, b],
    ] as const) {
      for (const [i, value] of way[at].entries()) expect(value).toBeCloseTo(end[i], 10);
    }
    const shortest = Math.min(length(a), length(b));
    for (const z of way) expect(length(z)).toBeGreaterThan(0.95 * shortest);
    // A straight line would not.
    const middle = a.map((value, i) => (value + b[i]) / 2);
    expect(length(middle)).toBeLessThan(0.9 * shortest);
  });

  it("goes in equal angles", () => {
    const way = interpolation([1, 0], [0, 1], 4);
    for (const [i, [x, y]] of way.entries()) expect(Math.atan2(y, x)).toBeCloseTo(((i / 3) * Math.PI) / 2, 10);
  });

  it("is a line where there is no arc", () => {
    expect(interpolation([1, 2], [2, 4], 3)).toEqual([
      [1, 2],
      [1.5, 3],
      [2, 4],
    ]);
    expect(interpolation([0, 0], [2, 4], 3)[1]).toEqual([1, 2]);
  });

  it("refuses what does not fit in one line", () => {
    expect(() => interpolation([1], [1, 2], 3)).toThrow(/z of 1 and 2 numbers and 3 steps; expected equal lengths/);
    expect(() => interpolation([1], [2], 1)).toThrow(/at least 2 steps/);
  });
});

it("a traversal moves one number at a time, from one side to the other", () => {
  expect(traversal([7, 8], [1, 0], 3)).toEqual([
    [7, -2.5],
    [7, 0],
    [7, 2.5],
    [-2.5, 8],
    [0, 8],
    [2.5, 8],
  ]);
});
