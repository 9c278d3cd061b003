import { describe, expect, it } from "vitest";
import pillow from "../test/fixtures/rand-augment.json" with { type: "json" };
import { testRandom } from "../test/support.ts";
import { Canvas } from "./canvas.ts";
import { operations, randAugment } from "./rand-augment.ts";
import type { ImageSet } from "./types.ts";

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

describe.each(
  pillow.map(({ shape, ...rest }) => ({
    shape: shape as unknown as ImageSet["shape"],
    size: shape.join("x"),
    ...rest,
  })),
)("an image of $size", ({ shape, pixels, results }) => {
  it.each(results)(
    "$operation $magnitude ($sign) is Pillow's to the byte",
    ({ operation, magnitude, sign, ...after }) => {
      const canvas = new Canvas(shape);
      canvas.load(bytes(pixels), 0);
      operations[operation].apply(canvas, (sign * magnitude) / 30);
      expect(canvas.pixels).toEqual(bytes(after.pixels));
    },
  );
});

it("has all of Pillow's operations", () => {
  expect(new Set(pillow[0].results.map(({ operation }) => operation))).toEqual(new Set(Object.keys(operations)));
});

describe("randAugment", () => {
  const shape = [8, 9, 3] as const;
  const image = bytes(pillow[0].pixels);
  const size = image.length;
  const augmented = (options: Parameters<typeof randAugment>[1], ...path: number[]) => {
    const batch = new Uint8Array(3 * size);
    for (let i = 0; i < 3; i++) batch.set(image, i * size);
    randAugment(shape, options)(batch, size, testRandom(...path));
    return batch;
  };

  it("changes the one image only, the same for the same path and others for others", () => {
    const seen = new Set<string>();
    for (let n = 0; n < 60; n++) {
      const batch = augmented({ operations: 2, magnitude: 9 }, n);
      expect(batch).toEqual(augmented({ operations: 2, magnitude: 9 }, n));
      expect(batch.subarray(0, size)).toEqual(image);
      expect(batch.subarray(2 * size)).toEqual(image);
      seen.add(String(batch.subarray(size, 2 * size)));
    }
    expect(seen.size).toBeGreaterThan(40);
  });

  it("draws every operation, and both directions of those that have two", () => {
    const outcomes = new Set<string>();
    for (let n = 0; n < 800; n++) {
      outcomes.add(String(augmented({ operations: 1, magnitude: 30 }, n).subarray(size, 2 * size)));
    }
    const expected = new Set(
      pillow[0].results
        .filter(({ operation, magnitude }) => magnitude === 30 || ["identity", "autocontrast"].includes(operation))
        .map(({ pixels }) => String(bytes(pixels))),
    );
    expect(outcomes).toEqual(expected); // equalising so few pixels is the identity
  });

  it("does nothing but what has no magnitude at magnitude 0", () => {
    const sums = Array.from({ length: 100 }, (_, n) => String(augmented({ operations: 1, magnitude: 0 }, n)));
    expect(new Set(sums).size).toBeLessThanOrEqual(3); // the image, autocontrast, and solarize of what is 255
  });
});
