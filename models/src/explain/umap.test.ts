import { describe, expect, it } from "vitest";
import { randomStream } from "../random.ts";
import { umap } from "./umap.ts";

/** Three groups of points in 8 dimensions, far apart. */
const random = randomStream("groups");
const groups = Array.from({ length: 90 }, (_, i) =>
  Array.from({ length: 8 }, (_, d) => random.normal() + (d === i % 3 ? 20 : 0)),
);

describe("umap", () => {
  it("keeps groups together and apart from each other", async () => {
    const layout = await umap(groups);
    expect(layout.map((point) => point.length)).toEqual(groups.map(() => 2));
    const distance = (a: number, b: number) => Math.hypot(layout[a][0] - layout[b][0], layout[a][1] - layout[b][1]);
    for (let i = 0; i < 90; i++) {
      const others = Array.from({ length: 90 }, (_, j) => j).filter((j) => j !== i);
      const nearest = others.reduce((a, b) => (distance(i, b) < distance(i, a) ? b : a));
      expect(nearest % 3).toBe(i % 3);
    }
  });

  it("is the same for the same seed, and tells how far it is", async () => {
    const steps: [number, number][] = [];
    const few = groups.slice(0, 30);
    const first = await umap(few, { seed: 7, onStep: (done, total) => steps.push([done, total]) });
    expect(await umap(few, { seed: 7 })).toEqual(first);
    expect(await umap(few, { seed: 8 })).not.toEqual(first);
    expect(steps.at(-1)?.[0]).toBe(steps.at(-1)?.[1]);
  });

  it("lays out few points, and refuses fewer", async () => {
    const three = await umap(groups.slice(0, 3));
    expect(three.flat().every(Number.isFinite)).toBe(true);
    await expect(umap(groups.slice(0, 2))).rejects.toThrow("2 points can't be laid out");
  });
});
