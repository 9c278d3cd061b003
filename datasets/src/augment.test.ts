import { describe, expect, it } from "vitest";
import { testRandom } from "../test/support.ts";
import { type Augmentation, imageTransform } from "./augment.ts";
import type { Random } from "./types.ts";

const mean = [0.4, 0.5, 0.6];
const std = [0.2, 0.25, 0.3];

function randomImage(height: number, width: number, channels: number): Uint8Array {
  const random = testRandom("image", height, width);
  return Uint8Array.from({ length: height * width * channels }, () => random.integer(256));
}

/** Gives these numbers, and fails when asked for more. */
function scripted(integers: number[], uniforms: number[] = []): Random {
  const next = (list: number[]) => {
    if (list.length === 0) throw new Error("nothing left");
    return list.shift() as number;
  };
  return { integer: () => next(integers), uniform: () => next(uniforms) };
}

/** The textbook: pad, crop, flip, normalise, cut out, each in a pass of its own. */
function reference(
  source: Uint8Array,
  [height, width, channels]: readonly [number, number, number],
  { pad = 0, cutout = 0, border }: Augmentation,
  { dy, dx, flip, cy, cx }: { dy: number; dx: number; flip: boolean; cy: number; cx: number },
): Float32Array {
  const out = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const edge = (i: number, size: number): number => {
          if (border !== "reflect" || (i >= 0 && i < size)) return i;
          return size === 1 ? 0 : edge(i < 0 ? -i : 2 * (size - 1) - i, size);
        };
        const sy = edge(y + dy - pad, height);
        const sx = edge((flip ? width - 1 - x : x) + dx - pad, width);
        const inside = sy >= 0 && sy < height && sx >= 0 && sx < width;
        const value = inside ? source[(sy * width + sx) * channels + c] : 0;
        const top = cy - Math.floor(cutout / 2);
        const left = cx - Math.floor(cutout / 2);
        const cut = cutout > 0 && y >= top && y < top + cutout && x >= left && x < left + cutout;
        out[(y * width + x) * channels + c] = cut ? 0 : (value / 255 - mean[c]) / std[c];
      }
    }
  }
  return out;
}

describe("imageTransform", () => {
  it.each([
    [8, 8, 3],
    [5, 7, 3],
    [6, 4, 1],
    [4, 6, 2],
  ] as const)("equals the textbook at every shift and cut of a %ix%ix%i image", (height, width, channels) => {
    const shape = [height, width, channels] as const;
    const source = randomImage(height, width, channels);
    const target = new Float32Array(source.length);
    for (const [pad, border] of [1, 3, 9].flatMap((n) => [[n, "zeros"] as const, [n, "reflect"] as const])) {
      const augmentation = { pad, border, flip: true, cutout: 3 };
      const transform = imageTransform(shape, mean.slice(0, channels), std.slice(0, channels), augmentation);
      for (let dy = 0; dy <= 2 * pad; dy++) {
        for (let dx = 0; dx <= 2 * pad; dx++) {
          const [cy, cx, flip] = [dx % height, dy % width, (dx + dy) % 2 === 0];
          transform(source, 0, target, 0, scripted([dy, dx, cy, cx], [flip ? 0.2 : 0.5]));
          expect(target).toEqual(reference(source, shape, augmentation, { dy, dx, flip, cy, cx }));
        }
      }
    }
  });

  it("only normalises without a random stream, at the offsets given", () => {
    const shape = [4, 4, 3] as const;
    const source = randomImage(8, 4, 3);
    const target = new Float32Array(96).fill(7);
    imageTransform(shape, mean, std, { pad: 2, flip: true, cutout: 2 })(source, 48, target, 48);
    const none = { dy: 0, dx: 0, flip: false, cy: 0, cx: 0 };
    expect(target.subarray(48)).toEqual(reference(source.subarray(48), shape, {}, none));
    expect(target.subarray(0, 48).every((value) => value === 7)).toBe(true);
  });

  it("cuts a square of the side given, smaller at the edge", () => {
    const source = new Uint8Array(10 * 10).fill(255);
    const target = new Float32Array(100);
    const transform = imageTransform([10, 10, 1], [0.5], [0.5], { cutout: 4 });
    transform(source, 0, target, 0, scripted([5, 5]));
    expect(target.filter((value) => value === 0).length).toBe(16);
    transform(source, 0, target, 0, scripted([0, 9]));
    expect(target.filter((value) => value === 0).length).toBe(2 * 3);
  });

  it("refuses a mean for other channels", () => {
    expect(() => imageTransform([2, 2, 1], mean, std)).toThrow("3 means");
  });
});
