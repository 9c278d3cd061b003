import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { randomStream } from "@tfjs-zoo/models";
import sharp from "sharp";

/** Whether a picture of a kind is bright at (x, y). */
type Kinds = { [name: string]: (x: number, y: number, size: number) => boolean };

const thirds: Kinds = {
  left: (x, _, size) => Math.floor((3 * x) / size) === 0,
  right: (x, _, size) => Math.floor((3 * x) / size) === 2,
  middle: (x, _, size) => Math.floor((3 * x) / size) === 1,
};

/** Stripes along the three directions. */
export const stripes: Kinds = {
  across: (_, y) => y % 6 < 3,
  down: (x) => x % 6 < 3,
  slanted: (x, y) => (x + y) % 6 < 3,
};

/**
 * Writes a small data set of pictures, `<folder>/{train,test}/<class>/N.png`: noise that is brighter in places; unless
 * told otherwise on the left, on the right or in the middle.
 */
export async function writePictures(
  folder: string,
  { train = 24, test = 6, size = 32, kinds = thirds } = {},
): Promise<void> {
  for (const [split, count] of Object.entries({ train, test })) {
    for (const [k, [name, isBright]] of Object.entries(kinds).entries()) {
      await mkdir(join(folder, split, name), { recursive: true });
      for (let n = 0; n < count; n++) {
        const random = randomStream("pictures", split, k, n);
        const pixels = new Uint8Array(size * size * 3);
        for (let i = 0; i < size * size; i++) {
          const bright = isBright(i % size, Math.floor(i / size), size) ? 120 : 0;
          for (let c = 0; c < 3; c++) pixels[3 * i + c] = bright + random.integer(136);
        }
        const raw = { width: size, height: size, channels: 3 as const };
        await sharp(pixels, { raw })
          .png()
          .toFile(join(folder, split, name, `${n}.png`));
      }
    }
  }
}
