import { type Picture, pictureOf, sheet } from "@tfjs-zoo/training/charts";
import { encodePng } from "@tfjs-zoo/training/node";

/** The grey between images, 0 to 255. */
const BETWEEN = 24;

/** Images side by side. @param images [count, height, width, channels], 0 to 1 */
export function sheetOf(images: Float32Array, shape: readonly [number, number, number], columns: number): Picture {
  const size = shape[0] * shape[1] * shape[2];
  const tiles = Array.from({ length: images.length / size }, (_, i) =>
    pictureOf(images.subarray(i * size, (i + 1) * size), shape),
  );
  return sheet(tiles, BETWEEN, columns);
}

/** The bytes of a .png file. */
export const pngOf = ({ pixels, height, width }: Picture): Uint8Array => encodePng(pixels, [height, width, 3]);
