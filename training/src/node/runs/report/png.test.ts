import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { crc32 } from "../crc.ts";
import { encodePng, pngDataUrl } from "./png.ts";

/** The chunks of a PNG, their checksums verified. */
function chunks(png: Buffer): { type: string; data: Buffer }[] {
  const found = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 4, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    found.push({ type: body.toString("latin1", 0, 4), data: body.subarray(4) });
    at += length + 12;
  }
  return found;
}

describe("encodePng", () => {
  it.each([
    [1, 0],
    [2, 4],
    [3, 2],
    [4, 6],
  ])("writes %i channels as colour type %i, row by row", (channels, colourType) => {
    const pixels = Uint8Array.from({ length: 2 * 3 * channels }, (_, i) => i * 7);
    const png = Buffer.from(encodePng(pixels, [2, 3, channels]));
    expect(png.subarray(0, 8).toString("latin1")).toBe("\u0089PNG\r\n\u001a\n");
    const [header, data, end] = chunks(png);
    expect([header.type, data.type, end.type]).toEqual(["IHDR", "IDAT", "IEND"]);
    expect([...header.data]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 8, colourType, 0, 0, 0]);
    const row = 3 * channels;
    expect([...inflateSync(data.data)]).toEqual([0, ...pixels.subarray(0, row), 0, ...pixels.subarray(row)]);
  });

  it("refuses pixels that don't fit the shape", () => {
    expect(() => encodePng(new Uint8Array(5), [2, 3, 1])).toThrow("5 bytes for shape [2, 3, 1]");
    expect(() => encodePng(new Uint8Array(0), [0, 0, 3])).toThrow();
  });

  it("becomes a data URL", () => {
    expect(pngDataUrl(new Uint8Array(3), [1, 1, 3])).toMatch(/^data:image\/png;base64,iVBORw0KGgo[\w+/=]+$/);
  });
});
