import { deflateSync } from "node:zlib";
import { crc32 } from "../crc.ts";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
const COLOUR_TYPES: Record<number, number> = { 1: 0, 2: 4, 3: 2, 4: 6 };

/**
 * Encodes a picture as PNG, 8 bits a channel, unfiltered (the PNG specification, sections 5, 7 and 11).
 *
 * @param pixels [height, width, channels], 0 to 255
 * @param shape height, width and channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA
 */
export function encodePng(pixels: Uint8Array, [height, width, channels]: [number, number, number]): Uint8Array {
  const colourType = COLOUR_TYPES[channels];
  if (colourType === undefined || pixels.length !== height * width * channels || pixels.length === 0) {
    throw new Error(`encodePng got ${pixels.length} bytes for shape [${height}, ${width}, ${channels}]`);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colourType, 0, 0, 0], 8);

  const stride = width * channels;
  const rows = new Uint8Array(height * (stride + 1)); // each row: filter type 0, then its bytes
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);

  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

export function pngDataUrl(pixels: Uint8Array, shape: [number, number, number]): string {
  return `data:image/png;base64,${Buffer.from(encodePng(pixels, shape)).toString("base64")}`;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}
