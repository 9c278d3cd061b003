import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { randomStream } from "@tfjs-zoo/models";
import sharp from "sharp";

/**
 * Writes a small data set of pictures, `<folder>/{train,test}/<class>/N.png`: noise that is brighter on the left, on
 * the right or in the middle.
 */
export async function writePictures(folder: string, { train = 24, test = 6, size = 32 } = {}): Promise<void> {
  for (const [split, count] of Object.entries({ train, test })) {
    for (const [k, name] of ["left", "right", "middle"].entries()) {
      await mkdir(join(folder, split, name), { recursive: true });
      for (let n = 0; n < count; n++) {
        const random = randomStream("pictures", split, k, n);
        const pixels = new Uint8Array(size * size * 3);
        for (let i = 0; i < size * size; i++) {
          const third = Math.floor(((i % size) * 3) / size);
          const bright = third === [0, 2, 1][k] ? 120 : 0;
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
