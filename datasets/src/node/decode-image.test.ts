import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp, { type Color } from "sharp";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../../test/support.ts";
import { decodeImage, imageHeader } from "./decode-image.ts";

/** A plain picture in one colour. */
function plain(width: number, height: number, background: Color, channels: 3 | 4 = 3) {
  return sharp({ create: { width, height, channels, background } });
}

/** Left half red, right half blue, 40x20. */
function redBlue() {
  const blue = { create: { width: 20, height: 20, channels: 3, background: "#0000ff" } } as const;
  return plain(40, 20, "#ff0000").composite([{ input: blue, left: 20, top: 0 }]);
}

const pixelAt = (pixels: Uint8Array, width: number, y: number, x: number) => [
  ...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

function near(pixel: number[], expected: number[], tolerance = 6) {
  for (const [c, value] of expected.entries()) expect(Math.abs(pixel[c] - value)).toBeLessThanOrEqual(tolerance);
}

/** The start of a PNG: its header, with dimensions that nothing backs. */
function pngOf(width: number, height: number): Buffer {
  const table = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const crc = (bytes: Buffer) => {
    let c = 0xffffffff;
    for (const byte of bytes) c = table[(c ^ byte) & 255] ^ (c >>> 8);
    return (c ^ 0xffffffff) >>> 0;
  };
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(8 + body.length);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), 4 + body.length);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(Buffer.alloc(1000));
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

describe("decodeImage", () => {
  it("keeps pixels of a picture that has the size already", async () => {
    const data = Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 37) % 256);
    const png = await sharp(data, { raw: { width: 4, height: 5, channels: 3 } })
      .png()
      .toBuffer();
    expect(Uint8Array.from(await decodeImage(png, [5, 4, 3]))).toEqual(data);
  });

  it("covers and crops around the centre", async () => {
    const pixels = await decodeImage(await redBlue().png().toBuffer(), [10, 10, 3]);
    expect(pixels.length).toBe(300);
    near(pixelAt(pixels, 10, 5, 0), [255, 0, 0]);
    near(pixelAt(pixels, 10, 5, 9), [0, 0, 255]);
  });

  it("reads a file by its path, also of one pixel", async () => {
    const path = join(await temporaryFolder(), "one.png");
    await plain(1, 1, "#102030").png().toFile(path);
    const pixels = await decodeImage(path, [4, 4, 3]);
    expect(pixels.length).toBe(48);
    near(pixelAt(pixels, 4, 3, 3), [16, 32, 48], 0);
  });

  it("turns a picture upright by its EXIF tag", async () => {
    const landscape = await redBlue().withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer();
    const pixels = await decodeImage(landscape, [40, 20, 3]);
    near(pixelAt(pixels, 20, 5, 10), [254, 0, 0]);
    near(pixelAt(pixels, 20, 35, 10), [0, 0, 254]);
  });

  it("lays transparency on white", async () => {
    const clear = await plain(8, 8, { r: 255, g: 0, b: 0, alpha: 0 }, 4).png().toBuffer();
    near(pixelAt(await decodeImage(clear, [8, 8, 3]), 8, 4, 4), [255, 255, 255], 0);
    const half = await plain(8, 8, { r: 255, g: 0, b: 0, alpha: 0.5 }, 4).webp({ lossless: true }).toBuffer();
    near(pixelAt(await decodeImage(half, [4, 4, 3]), 4, 2, 2), [255, 127, 127], 2);
    const grey = await sharp(await plain(8, 8, { r: 0, g: 0, b: 0, alpha: 0 }, 4).png().toBuffer())
      .toColourspace("b-w")
      .png()
      .toBuffer();
    expect((await sharp(grey).metadata()).channels).toBe(2);
    expect([...(await decodeImage(grey, [1, 1, 1]))]).toEqual([255]);
    expect([...(await decodeImage(grey, [1, 1, 3]))]).toEqual([255, 255, 255]);
  });

  it("brings CMYK to sRGB", async () => {
    const cmyk = await redBlue().toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
    const pixels = await decodeImage(cmyk, [20, 40, 3]);
    const [red, , blue] = pixelAt(pixels, 40, 10, 5);
    expect(red).toBeGreaterThan(blue + 100);
    const right = pixelAt(pixels, 40, 10, 35);
    expect(right[2]).toBeGreaterThan(right[0] + 50);
  });

  it("brings 16 bits to 8, in colour and grey", async () => {
    const rgb16 = await plain(8, 8, "#4080c0").toColourspace("rgb16").png().toBuffer();
    expect((await sharp(rgb16).metadata()).depth).toBe("ushort");
    near(pixelAt(await decodeImage(rgb16, [8, 8, 3]), 8, 4, 4), [64, 128, 192], 1);
    const grey16 = await plain(8, 8, "#808080").toColourspace("grey16").png().toBuffer();
    expect((await sharp(grey16).metadata()).depth).toBe("ushort");
    near([...(await decodeImage(grey16, [1, 1, 1]))], [128], 1);
    near([...(await decodeImage(grey16, [1, 1, 3]))], [128, 128, 128], 1);
  });

  it("gives one channel of brightness, and three equal ones of a grey picture", async () => {
    const green = await plain(4, 4, "#00ff00").png().toBuffer();
    const [brightness] = await decodeImage(green, [1, 1, 1]);
    expect(brightness).toBeGreaterThan(120);
    const grey = await plain(4, 4, "#646464").toColourspace("b-w").png().toBuffer();
    expect((await sharp(grey).metadata()).channels).toBe(1);
    expect([...(await decodeImage(grey, [1, 1, 3]))]).toEqual([100, 100, 100]);
  });

  it("takes the first frame and palettes", async () => {
    const gif = await redBlue().gif().toBuffer();
    near(pixelAt(await decodeImage(gif, [20, 40, 3]), 40, 10, 5), [255, 0, 0]);
  });

  it("refuses too many pixels, naming size and limit, without decoding them", async () => {
    const began = performance.now();
    expect(await failure(decodeImage(pngOf(20_000, 20_000), [32, 32, 3]))).toBe(
      "InputError: the image is 20000x20000 = 400000000 pixels, more than the limit of 268435456: scale it down first",
    );
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it.each([
    ["text", Buffer.from("this is no picture")],
    ["nothing", Buffer.alloc(0)],
    ["a lying header", pngOf(200, 200)],
    ["a vector picture", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"></svg>')],
  ])("refuses %s named .jpg in one line with its name", async (_, bytes) => {
    const path = join(await temporaryFolder(), "photo.jpg");
    await writeFile(path, bytes);
    expect(await failure(decodeImage(path, [32, 32, 3]))).toMatch(/^InputError: .*photo\.jpg (cannot be read|is svg)/);
  });

  it("refuses a truncated picture and a missing file", async () => {
    const folder = await temporaryFolder();
    const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 7919) % 251));
    const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer();
    await writeFile(join(folder, "half.jpg"), jpeg.subarray(0, jpeg.length / 2));
    expect(await failure(decodeImage(join(folder, "half.jpg"), [32, 32, 3]))).toMatch(
      /half\.jpg cannot be read as a picture/,
    );
    expect(await failure(imageHeader(join(folder, "none.jpg")))).toMatch(/none\.jpg does not exist/);
    expect(await failure(imageHeader(folder))).toMatch(/cannot be read as a picture/);
  });
});
