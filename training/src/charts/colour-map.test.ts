import { describe, expect, it } from "vitest";
import { heatColour, labDistance, labOf } from "./colour-map.ts";

const labs = Array.from({ length: 17 }, (_, i) => labOf(heatColour(i / 16)));

describe("heatColour", () => {
  it("goes from near black to near white, lighter with every step", () => {
    expect(labs[0][0]).toBeLessThan(0.15);
    expect(labs[16][0]).toBeGreaterThan(0.93);
    for (let i = 1; i < labs.length; i++) expect(labs[i][0]).toBeGreaterThan(labs[i - 1][0]);
  });

  it("looks as different from one step to the next everywhere", () => {
    const steps = labs.slice(1).map((lab, i) => labDistance(labs[i], lab));
    const mean = steps.reduce((a, b) => a + b) / steps.length;
    for (const step of steps) expect(Math.abs(step / mean - 1)).toBeLessThan(0.12); // chords of a bent path
  });

  it("takes what is outside for the end", () => {
    expect(heatColour(-1)).toEqual(heatColour(0));
    expect(heatColour(2)).toEqual(heatColour(1));
  });
});
