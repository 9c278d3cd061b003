import { describe, expect, it } from "vitest";
import { heatColour } from "./colour-map.ts";
import { enlarged, heatPicture, mosaic, overlaid, type Picture, pictureOf, readable } from "./picture.ts";

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
});
