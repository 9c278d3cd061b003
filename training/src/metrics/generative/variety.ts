import { featureRows } from "./feature-rows.ts";
import { nearest } from "./nearest.ts";

/**
 * How much images differ from one another, beside how much real ones do; the less of two ratios:
 *
 *   the variance of a pixel over a set, all pixels together, which is half the mean squared distance of two images
 *   the mean distance between an image and the one that is most like it
 *
 * Near 1 for a generator that does not collapse, and 0 where its images are one, or a few that repeat. One that makes a
 * single class of which no two images are alike is not told by pixels: `collapseSigns` does, by a classifier.
 *
 * @param made [count, pixels]  @param real [count, pixels], in the same scale
 * @param pixels of an image
 */
export async function variety(made: Float32Array, real: Float32Array, pixels: number): Promise<number> {
  const spread = totalVariance(made, pixels) / totalVariance(real, pixels);
  return Math.min(spread, (await apartness(made, pixels)) / (await apartness(real, pixels)));
}

function totalVariance(images: Float32Array, pixels: number): number {
  const count = images.length / pixels;
  let total = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    let [sum, squares] = [0, 0];
    for (let i = pixel; i < images.length; i += pixels) {
      sum += images[i];
      squares += images[i] ** 2;
    }
    total += squares / count - (sum / count) ** 2;
  }
  return total;
}

async function apartness(images: Float32Array, pixels: number): Promise<number> {
  const rows = featureRows(images, pixels);
  const { squared } = await nearest(rows, rows, 1);
  return squared.reduce((sum, distance) => sum + Math.sqrt(distance), 0) / rows.count;
}

/** Below this, images are so alike that most kinds of the real ones are missing. */
export const COLLAPSED = 0.4;
