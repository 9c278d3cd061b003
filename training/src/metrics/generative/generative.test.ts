/** The measures against numpy and scipy, closed forms, and made-up generators of which the answer is known. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type FeatureRows, featureRows } from "./feature-rows.ts";
import { frechetBetween, frechetDistance } from "./frechet-distance.ts";
import { kernelDistance, squaredDiscrepancy } from "./kernel-distance.ts";
import { mannWhitney } from "./nearest-neighbours.ts";
import { precisionRecall } from "./precision-recall.ts";
import { normalRows, rowsOf } from "./test-rows.ts";

interface Fixture {
  name: string;
  real: number[][];
  generated: number[][];
  frechet: number;
  discrepancy: number;
  precision: number;
  recall: number;
  density: number;
  coverage: number;
  z: number;
}

const fixtures: Fixture[] = JSON.parse(readFileSync(new URL("./fixtures/generative.json", import.meta.url), "utf8"));

describe.each(fixtures)("two sets $name", (fixture) => {
  const [real, generated] = [rowsOf(fixture.real), rowsOf(fixture.generated)];

  it("are as far apart as numpy and scipy find", () => {
    // Eigenvalues that are 0 come out as some 1e-16, and their roots as 1e-8.
    expect(Math.abs(frechetDistance(real, generated) / fixture.frechet - 1)).toBeLessThan(1e-6);
    const [x, y] = [real, generated].map(({ values }) => Float64Array.from(values));
    expect(squaredDiscrepancy(x, y, real.count, real.dimensions)).toBeCloseTo(fixture.discrepancy, 10);
    const [first, second] = [fixture.real, fixture.generated].map((rows) =>
      Float64Array.from(rows, ([value]) => value),
    );
    expect(mannWhitney(first, second)).toBeCloseTo(fixture.z, 10);
  });

  it("cover each other as numpy and scipy find", async () => {
    const { precision, recall, density, coverage } = fixture;
    const found = await precisionRecall(real, generated);
    for (const [name, value] of Object.entries({ precision, recall, density, coverage })) {
      expect(found[name as keyof typeof found], name).toBeCloseTo(value, 12);
    }
  });
});

describe("frechetDistance", () => {
  const distribution = (mean: number[], covariance: number[]) => ({
    dimensions: mean.length,
    mean: Float64Array.from(mean),
    covariance: Float64Array.from(covariance),
  });

  it("is Σ (μ₁ − μ₂)² + (σ₁ − σ₂)² where covariances commute, singular or not", () => {
    const a = distribution([1, 2, 3], [4, 0, 0, 0, 9, 0, 0, 0, 0]);
    const b = distribution([1, 0, 3], [1, 0, 0, 0, 0, 0, 0, 0, 25]);
    expect(frechetBetween(a, b)).toBeCloseTo(4 + (2 - 1) ** 2 + 3 ** 2 + 5 ** 2, 12);
    // Both turned by the same angle.
    const turned = (p: number, q: number) => [(p + q) / 2, (p - q) / 2, (p - q) / 2, (p + q) / 2];
    expect(frechetBetween(distribution([0, 0], turned(4, 1)), distribution([0, 0], turned(9, 16)))).toBeCloseTo(
      1 + 9,
      12,
    );
  });

  it("of two numbers each is the closed form: Tr √M = √(Tr M + 2 √det M)", () => {
    const a = distribution([0, 0], [2, 0.5, 0.5, 1]);
    const b = distribution([0, 0], [1, -0.3, -0.3, 3]);
    const trace = 2 * 1 + 2 * 0.5 * -0.3 + 1 * 3;
    const determinant = (2 * 1 - 0.25) * (1 * 3 - 0.09);
    expect(frechetBetween(a, b)).toBeCloseTo(3 + 4 - 2 * Math.sqrt(trace + 2 * Math.sqrt(determinant)), 12);
  });

  it("is 0 for a set and itself, and the same both ways", () => {
    const [a, b] = [normalRows(50, 70, "a"), normalRows(60, 70, "b", { scale: 2 })];
    expect(frechetDistance(a, a)).toBeLessThan(1e-6);
    expect(frechetDistance(a, b)).toBeCloseTo(frechetDistance(b, a), 5);
  });

  it("refuses rows of two networks, and too few", () => {
    expect(() => frechetDistance(normalRows(5, 3, "a"), normalRows(5, 4, "b"))).toThrow(/^rows of 3 and of 4 features/);
    expect(() => frechetDistance(normalRows(5, 3, "a"), normalRows(1, 3, "b"))).toThrow(/^1 image\(s\) are too few/);
    expect(() => featureRows(new Float32Array(7), 3)).toThrow(/^7 features are no whole rows of 3$/);
    expect(() => featureRows(Float32Array.of(1, 2, Number.NaN, 4), 2)).toThrow(/^image 1 has a feature NaN/);
  });
});

describe("kernelDistance", () => {
  it("is about 0 for sets of one kind, above it for others, and the same for a seed", async () => {
    const options = { subsets: 20, subsetSize: 50 };
    const [a, b] = [normalRows(400, 8, "a"), normalRows(300, 8, "b")];
    const alike = await kernelDistance(a, b, options);
    expect(Math.abs(alike.mean)).toBeLessThan(alike.spread);
    const apart = await kernelDistance(a, normalRows(300, 8, "c", { shift: 0.5 }), options);
    expect(apart.mean).toBeGreaterThan(3 * apart.spread);
    expect(await kernelDistance(a, b, options)).toEqual(alike);
    expect((await kernelDistance(a, b, { ...options, seed: 1 })).mean).not.toBe(alike.mean);
  });

  it("draws subsets of half the smaller set at most, and says how far it is", async () => {
    const steps: number[] = [];
    const onProgress = (done: number, total: number) => void steps.push(done / total);
    const found = await kernelDistance(normalRows(30, 2, "a"), normalRows(21, 2, "b"), { subsets: 4, onProgress });
    expect(found).toMatchObject({ subsets: 4, subsetSize: 10 });
    expect(steps).toEqual([0.25, 0.5, 0.75, 1]);
  });
});

describe("precisionRecall", () => {
  const real = normalRows(300, 8, "real");

  it("of the data itself is near 1", async () => {
    const found = await precisionRecall(real, normalRows(300, 8, "more of it"));
    expect(Math.min(found.precision, found.recall, found.coverage)).toBeGreaterThan(0.7);
    expect(Math.abs(found.density - 1)).toBeLessThan(0.25);
    expect(await precisionRecall(real, real)).toMatchObject({ precision: 1, recall: 1, coverage: 1 });
  });

  it("of a generator that has collapsed onto one good image: precise, no recall", async () => {
    const [first] = rowsIn(real);
    const collapsed = rowsOf(new Array(100).fill(first));
    const found = await precisionRecall(real, collapsed);
    expect(found.precision).toBe(1);
    expect(found.recall).toBeLessThan(0.01);
    expect(found.coverage).toBeLessThan(0.05);
  });

  it("of noise far from the data: not precise, none covered", async () => {
    const found = await precisionRecall(real, normalRows(100, 8, "noise", { shift: 20 }));
    expect(found).toMatchObject({ precision: 0, density: 0, coverage: 0 });
  });

  it("of half of the data: precise, with half the recall", async () => {
    const half = rowsOf(rowsIn(normalRows(600, 8, "half")).filter(([x]) => x > 0));
    const found = await precisionRecall(real, half);
    expect(found.precision).toBeGreaterThan(0.7);
    expect(found.recall).toBeGreaterThan(0.4);
    expect(found.recall).toBeLessThan(0.75);
  });

  it("refuses sets without enough neighbours", async () => {
    await expect(precisionRecall(real, normalRows(5, 8, "few"))).rejects.toThrow(
      /^5 image\(s\) are too few to compare: give at least 6$/,
    );
  });
});

function rowsIn({ values, count, dimensions }: FeatureRows): number[][] {
  return Array.from({ length: count }, (_, i) => [...values.subarray(i * dimensions, (i + 1) * dimensions)]);
}
