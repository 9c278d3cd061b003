import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { coverImage } from "./cover-image.ts";
import { decodeImage, decodePicture } from "./node/index.ts";

/** Waves of several directions, longer than the half pixel by which libvips rounds what it crops. */
function waves(width: number, height: number): Uint8Array {
  const value = (x: number, y: number, c: number) =>
    127.5 + 60 * Math.sin((x * (c + 1)) / 60) + 60 * Math.cos(y / 33 - x / (50 + c));
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return Math.round(value(pixel % width, Math.floor(pixel / width), i % 3));
  });
}

const pngOf = (data: Uint8Array, width: number, height: number) =>
  sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();

describe("coverImage", () => {
  it("keeps the pixels of a picture that has the shape", () => {
    const data = waves(7, 5);
    expect(coverImage({ data, width: 7, height: 5, channels: 3 }, [5, 7, 3])).toEqual(data);
  });

  it.each([
    [1, 1],
    [40, 30],
    [33, 100],
    [500, 375],
    [20, 20],
  ])("keeps one colour as it is at %ix%i, and leaves a canvas's alpha out", (width, height) => {
    const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => [3, 140, 255, 77][i % 4]);
    const covered = coverImage({ data, width, height, channels: 4 }, [32, 28, 3]);
    expect([...covered].every((value, i) => value === [3, 140, 255][i % 3])).toBe(true);
  });

  it("crops around the centre", () => {
    const data = Uint8Array.from({ length: 30 * 10 }, (_, i) => (i % 30 >= 10 && i % 30 < 20 ? 200 : 0));
    const covered = coverImage({ data, width: 30, height: 10, channels: 1 }, [10, 10, 1]);
    expect([...covered].every((value) => value === 200)).toBe(true);
  });

  it.each([
    [[0, 255, 0], 220],
    [[255, 0, 0], 127],
    [[90, 90, 90], 90],
  ])("sees %j as grey %i", async (colour, grey) => {
    const data = Uint8Array.from({ length: 12 }, (_, i) => colour[i % 3]);
    expect([...coverImage({ data, width: 2, height: 2, channels: 3 }, [1, 1, 1])]).toEqual([grey]);
    const [vips] = await decodeImage(await pngOf(data, 2, 2), [1, 1, 1]);
    expect(Math.abs(vips - grey)).toBeLessThanOrEqual(1);
  });

  it.each([
    [64, 64],
    [203, 150],
    [97, 300],
    [20, 24],
  ])("agrees with libvips's filter at %ix%i", async (width, height) => {
    const data = waves(width, height);
    const png = await pngOf(data, width, height);
    const [ours, vips] = [await decodePicture(png, [32, 32, 3]), await decodeImage(png, [32, 32, 3])];
    expect(ours).toEqual(coverImage({ data, width, height, channels: 3 }, [32, 32, 3]));
    const error = ours.reduce((sum, value, i) => sum + Math.abs(value - vips[i]), 0) / ours.length;
    expect(error).toBeLessThan(4);
  });
});

describe("decodePicture", () => {
  it.each([
    ["srgb", [255, 128, 128]],
    ["b-w", [191, 191, 191]],
  ] as const)("lays transparency on white, also of %s", async (space, expected) => {
    const half = {
      create: { width: 4, height: 4, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } },
    } as const;
    const png = await sharp(half).toColourspace(space).png().toBuffer();
    const pixels = await decodePicture(png, [1, 1, 3]);
    for (const [c, value] of expected.entries()) expect(Math.abs(pixels[c] - value)).toBeLessThanOrEqual(1);
  });
});
