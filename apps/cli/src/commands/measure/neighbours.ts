/** Samples beside the training images that they are most like. */
import type { ImageSet } from "@tfjs-zoo/datasets";
import type { SampleMeasures } from "@tfjs-zoo/training/node";
import { alternating } from "../sample/shows.ts";

/** A sample and the training image that is nearest to it by its pixels. */
export interface Pair {
  sample: number;
  training: number;
  /** Euclidean, of pixels from 0 to 255 */
  distance: number;
}

const COLUMNS = 8;
const ROWS = 4;

/** The pairs that are nearest of all, nearest first: whole rows of them. */
export function nearestPairs({ memorised: { samples, pixels } }: SampleMeasures): Pair[] {
  const { index, distance } = pixels.neighbours;
  const pairs = Array.from(samples, (sample, i) => ({ sample, training: index[i], distance: distance[i] }));
  const columns = Math.min(COLUMNS, pairs.length);
  const rows = Math.min(ROWS, Math.floor(pairs.length / columns));
  return pairs.sort((a, b) => a.distance - b.distance).slice(0, rows * columns);
}

/** Rows of samples, and below each row the training images: what `sheetOf` takes. */
export async function pairsShown(
  pairs: readonly Pair[],
  samples: ImageSet,
  training: ImageSet,
): Promise<{ images: Float32Array; columns: number }> {
  const columns = Math.min(COLUMNS, pairs.length);
  const above = await imagesAt(
    samples,
    pairs.map(({ sample }) => sample),
  );
  const below = await imagesAt(
    training,
    pairs.map(({ training }) => training),
  );
  return { images: alternating(above, below, pairs.length / columns), columns };
}

/** [indices.length, height, width, channels], 0 to 1 */
async function imagesAt(set: ImageSet, indices: readonly number[]): Promise<Float32Array> {
  const [height, width, channels] = set.shape;
  const pixels = new Uint8Array(indices.length * height * width * channels);
  await set.read(indices, pixels);
  return Float32Array.from(pixels, (pixel) => pixel / 255);
}
