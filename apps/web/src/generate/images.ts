import { coverImage } from "@tfjs-zoo/datasets";
import { contextOf, openPicture, pixelsOf } from "../shared/picture.ts";
import type { ImageShape } from "./protocol.ts";

/** 0 to 1 as 0 to 255. */
export const toBytes = (values: Float32Array): Uint8ClampedArray =>
  Uint8ClampedArray.from(values, (value) => 255 * value);

/**
 * Paints images in rows on a canvas, a pixel on a pixel.
 *
 * @param bytes [n, height, width, channels], 1 or 3 channels
 * @param columns of the canvas; as many as there are images unless given
 * @param gap pixels between two images, which stay transparent
 */
export function paintImages(
  canvas: HTMLCanvasElement,
  bytes: Uint8ClampedArray,
  [height, width, channels]: ImageShape,
  { columns, gap = 0 }: { columns?: number; gap?: number } = {},
): void {
  const size = height * width * channels;
  const count = bytes.length / size;
  const across = columns ?? count;
  const whole = new ImageData(across * (width + gap) - gap, Math.ceil(count / across) * (height + gap) - gap);
  for (let n = 0; n < count; n++) {
    const [left, top] = [(n % across) * (width + gap), Math.floor(n / across) * (height + gap)];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = n * size + (y * width + x) * channels;
        const to = 4 * ((top + y) * whole.width + left + x);
        for (let c = 0; c < 3; c++) whole.data[to + c] = bytes[from + (channels === 1 ? 0 : c)];
        whole.data[to + 3] = 255;
      }
    }
  }
  if (canvas.width !== whole.width || canvas.height !== whole.height) {
    [canvas.width, canvas.height] = [whole.width, whole.height];
  }
  contextOf(canvas).putImageData(whole, 0, 0);
}

/**
 * A picture as a network reads it.
 *
 * @returns [height, width, channels], 0 to 1
 * @throws InputError when it can't be read as a picture
 */
export async function valuesOf(picture: Blob, name: string, shape: ImageShape): Promise<Float32Array> {
  const bytes = coverImage(pixelsOf(await openPicture(picture, name)), [...shape]);
  return Float32Array.from(bytes, (byte) => byte / 255);
}
