import { describe, expect, it } from "vitest";
import { randomStream, threefry2x32 } from "./random.ts";

describe("threefry2x32", () => {
  // Known answers published with the Random123 library.
  it.each([
    [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
    [-1, -1, -1, -1, 0x1cb996fc, 0xbb002be7],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0],
  ])("key %i %i, counter %i %i", (k0, k1, c0, c1, r0, r1) => {
    const out = new Uint32Array(2);
    threefry2x32(k0 | 0, k1 | 0, c0 | 0, c1 | 0, out);
    expect([...out]).toEqual([r0, r1]);
  });
});

describe("randomStream", () => {
  it("gives equal streams for equal paths and others for others", () => {
    const draw = (...path: (string | number)[]) => Array.from({ length: 8 }, randomDraw(randomStream(...path)));
    const randomDraw = (random: { word(): number }) => () => random.word();
    expect(draw(1, "shuffle", 2)).toEqual(draw(1, "shuffle", 2));
    const streams = [draw(1, "shuffle", 2), draw(1, "shuffle", 3), draw(2, "shuffle", 2), draw(1, "augment", 2)];
    expect(new Set(streams.map(String)).size).toBe(4);
  });

  it("has the moments of its distributions", () => {
    const random = randomStream(7);
    const n = 100_000;
    let sum = 0;
    let squares = 0;
    let uniform = 0;
    for (let i = 0; i < n; i++) {
      const z = random.normal();
      sum += z;
      squares += z * z;
      uniform += random.uniform();
    }
    expect(Math.abs(sum / n)).toBeLessThan(0.02);
    expect(Math.abs(squares / n - 1)).toBeLessThan(0.02);
    expect(Math.abs(uniform / n - 0.5)).toBeLessThan(0.01);
  });
});
