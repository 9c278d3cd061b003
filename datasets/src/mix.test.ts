import { randomStream } from "@tfjs-zoo/models";
import { describe, expect, it } from "vitest";
import { mixBatch } from "./mix.ts";
import type { Batch } from "./types.ts";

const shape = [6, 8, 2] as const;
const count = 6 * 8 * 2;

/** Four images, each of one number that is its label. */
const batch = (): Batch => ({
  images: Float32Array.from({ length: 4 * count }, (_, i) => Math.floor(i / count)),
  labels: Int32Array.of(0, 1, 2, 3),
  size: 4,
  indices: Int32Array.of(0, 1, 2, 3),
});

const random = (n: number) => randomStream("mix", n);

describe("mixBatch", () => {
  it("leaves a batch alone when nothing is asked for", () => {
    const given = batch();
    expect(mixBatch(given, shape, {}, random(0))).toBe(given);
  });

  it("blends each image with another, by the share that it says", () => {
    for (let n = 0; n < 20; n++) {
      const { images, labels, mixed } = mixBatch(batch(), shape, { mixup: 0.4 }, random(n));
      if (mixed === undefined) throw new Error("not mixed");
      for (let i = 0; i < 4; i++) {
        expect(mixed.labels[i]).not.toBe(labels[i]);
        const expected = mixed.share * labels[i] + (1 - mixed.share) * mixed.labels[i];
        for (let k = 0; k < count; k++) expect(images[i * count + k]).toBeCloseTo(expected, 5);
      }
    }
  });

  it("puts a rectangle of another image in, and says how much of the first is left", () => {
    for (let n = 0; n < 20; n++) {
      const { images, labels, mixed } = mixBatch(batch(), shape, { cutmix: 1 }, random(n));
      if (mixed === undefined) throw new Error("not mixed");
      for (let i = 0; i < 4; i++) {
        const image = [...images.subarray(i * count, (i + 1) * count)];
        expect(image.every((pixel) => pixel === labels[i] || pixel === mixed.labels[i])).toBe(true);
        expect(image.filter((pixel) => pixel === labels[i]).length / count).toBeCloseTo(mixed.share, 10);
      }
    }
  });

  it("draws shares from Beta(α, α): mean 1/2, variance 1 / (4 (2 α + 1))", () => {
    for (const alpha of [0.2, 1]) {
      const shares = Array.from(
        { length: 4000 },
        (_, n) => mixBatch(batch(), shape, { mixup: alpha }, random(n)).mixed?.share ?? 0,
      );
      const mean = shares.reduce((sum, s) => sum + s, 0) / shares.length;
      const variance = shares.reduce((sum, s) => sum + (s - mean) ** 2, 0) / shares.length;
      expect(mean).toBeCloseTo(0.5, 1);
      expect(variance * 4 * (2 * alpha + 1)).toBeGreaterThan(0.93);
      expect(variance * 4 * (2 * alpha + 1)).toBeLessThan(1.07);
    }
  });
});
