import { describe, expect, it } from "vitest";
import { heatColour } from "./colour-map.ts";
import {
  cut,
  enlarged,
  heatPicture,
  hottest,
  mosaic,
  overlaid,
  type Picture,
  pictureOf,
  readable,
  sheet,
} from "./picture.ts";

const pixel = ({ pixels, width }: Picture, y: number, x: number) =>
  Array.from(pixels.slice(3 * (y * width + x), 3 * (y * width + x) + 3));

describe("a picture", () => {
  it("of numbers is grey or coloured, and no darker than black", () => {
    const grey = pictureOf([0, 0.5, 1, -1], [2, 2, 1]);
    expect([pixel(grey, 0, 0), pixel(grey, 0, 1), pixel(grey, 1, 0), pixel(grey, 1, 1)]).toEqual([
      [0, 0, 0],
      [128, 128, 128],
      [255, 255, 255],
      [0, 0, 0],
    ]);
    expect(pixel(pictureOf([0, 0.2, 2], [1, 1, 3]), 0, 0)).toEqual([0, 51, 255]);
  });

  it("is enlarged by whole squares", () => {
    const large = enlarged(pictureOf([0, 1], [1, 2, 1]), 3);
    expect([large.height, large.width]).toEqual([3, 6]);
    expect([pixel(large, 2, 2), pixel(large, 2, 3)]).toEqual([
      [0, 0, 0],
      [255, 255, 255],
    ]);
    expect(readable(pictureOf(new Float32Array(32 * 32), [32, 32, 1])).width).toBe(192);
    expect(readable(pictureOf(new Float32Array(224 * 224), [224, 224, 1])).width).toBe(224);
  });

  it("shows through a heat map where that is 0", () => {
    const white = pictureOf(new Float32Array(64).fill(1), [8, 8, 1]);
    const map = { values: Float32Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 0 : 1)), height: 8, width: 8 };
    const shown = overlaid(white, map);
    expect(pixel(shown, 10, 0)).toEqual([255, 255, 255]);
    const hot = heatColour(1).map((colour) => Math.round(0.25 * 255 + 0.75 * colour));
    expect(pixel(shown, 10, shown.width - 1)).toEqual(hot);
    expect(pixel(heatPicture(map), 3, 7)).toEqual(heatColour(1));
  });

  it("stands beside others in a mosaic", () => {
    const [black, white] = [0, 1].map((value) => pictureOf(new Float32Array(4).fill(value), [2, 2, 1]));
    const whole = mosaic([white, black, white], 2);
    expect([whole.height, whole.width]).toEqual([8, 8]);
    expect(pixel(whole, 0, 1)).toEqual([255, 255, 255]);
    for (const x of [2, 3, 4, 5]) expect(pixel(whole, 0, x)).toEqual([128, 128, 128]);
    expect(pixel(whole, 1, 6)).toEqual([0, 0, 0]);
    expect(pixel(whole, 6, 0)).toEqual([255, 255, 255]);
    expect(pixel(whole, 7, 7)).toEqual([128, 128, 128]);
  });

  it("is one of a sheet's first 64 tiles, eight in a row and large enough to be seen", () => {
    const values = Float32Array.from({ length: 70 * 4 }, (_, i) => Math.floor(i / 4) / 70);
    const tiles = cut(values, 70);
    expect(tiles).toHaveLength(64);
    expect(Array.from(new Set(tiles[35]))).toEqual([0.5]);
    const whole = sheet(
      tiles.map((tile) => pictureOf(tile, [2, 2, 1])),
      10,
    );
    expect([whole.height, whole.width]).toEqual([8 * 60 + 7 * 4, 8 * 60 + 7 * 4]);
    expect(pixel(whole, 4 * 64, 3 * 64)).toEqual([128, 128, 128]);
    expect(pixel(whole, 60, 60)).toEqual([10, 10, 10]);
  });
});

describe("the words for a heat map", () => {
  it.each([
    [0, "hottest at the top, left"],
    [4, "hottest in the middle, centre"],
    [7, "hottest at the bottom, centre"],
  ])("say that place %i of nine is its hottest", (place, words) => {
    const values = Float32Array.from({ length: 9 }, (_, i) => (i === place ? 1 : 0.3));
    expect(hottest({ values, height: 3, width: 3 })).toBe(words);
  });

  it("say that it is hot nowhere", () => {
    expect(hottest({ values: new Float32Array(9), height: 3, width: 3 })).toBe("hot nowhere");
  });
});
