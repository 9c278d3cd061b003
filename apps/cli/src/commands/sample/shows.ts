/** What a sheet shows of a network that makes images. */
import { drawLatents, interpolation, randomStream, traversal } from "@tfjs-zoo/models";
import { type Output, UsageError } from "../../context.ts";
import { testPictures } from "../test-set.ts";
import { allImages, type ImageMaker, type ImageSource, type LatentSpace, type Order } from "./maker.ts";

export const shows = ["samples", "interpolation", "traversal", "reconstructions"] as const;

/** What is to be shown. */
export interface Wanted {
  readonly rows: number;
  readonly columns: number;
  readonly seed: number;
  /** [rows · columns], of a network that is told classes */
  readonly labels?: readonly number[];
}

/** Classes of images by rows, each row its own. */
export const labelsByRow = (rows: number, columns: number, classes: number): number[] =>
  Array.from({ length: rows * columns }, (_, i) => Math.floor(i / columns) % classes);

/**
 * @param onStep of images that come in several steps
 * @returns [rows · columns, height, width, channels], 0 to 1
 */
export async function imagesShown(
  show: string,
  source: ImageSource,
  maker: ImageMaker,
  wanted: Wanted,
  output: Output,
  onStep?: Order["onStep"],
): Promise<Float32Array> {
  const { rows, columns, seed, labels } = wanted;
  const count = rows * columns;
  if (show === "reconstructions" && maker.reconstruct)
    return reconstructions(source, maker.reconstruct, wanted, output);
  if (show === "samples") {
    return allImages(maker, source, { count, seed, labels, progress: output.progress.update, onStep });
  }
  const latent = maker.latent as LatentSpace;
  const random = randomStream(seed, "sample");
  if (show === "interpolation") {
    if (columns < 2) throw new UsageError(`--show interpolation needs 2 columns at least, and --grid has ${columns}`);
    const ends = drawLatents(2 * rows, latent.size, random);
    const z = Array.from({ length: rows }, (_, row) => interpolation(ends[2 * row], ends[2 * row + 1], columns)).flat();
    return latent.images(z, labels);
  }
  expectNumbers(rows, latent, `--grid has ${rows} rows`);
  const numbers = Array.from({ length: rows }, (_, row) => row);
  return latent.images(traversal(drawLatents(1, latent.size, random)[0], numbers, columns), labels);
}

/** @throws UsageError for more rows or images of a traversal than a z has numbers */
export function expectNumbers(count: number, latent: LatentSpace, given: string): void {
  if (count <= latent.size) return;
  throw new UsageError(`--show traversal has a row for each of ${latent.size} numbers, and ${given}`);
}

/** Rows of test images, and below each row what the network makes of it. */
async function reconstructions(
  { info }: ImageSource,
  reconstruct: NonNullable<ImageMaker["reconstruct"]>,
  { rows, columns }: Wanted,
  output: Output,
): Promise<Float32Array> {
  if (rows % 2 === 1) {
    throw new UsageError(`--show reconstructions needs an even number of rows, and --grid has ${rows}`);
  }
  const count = (rows / 2) * columns;
  const originals = await testPictures(info, count, output);
  return alternating(originals, await reconstruct(originals, count), rows / 2);
}

/** A row of one, and below it a row of the other: both [rows · columns, ...]. */
export function alternating(above: Float32Array, below: Float32Array, rows: number): Float32Array {
  const row = above.length / rows;
  const both = new Float32Array(2 * above.length);
  for (let i = 0; i < rows; i++) {
    both.set(above.subarray(i * row, (i + 1) * row), 2 * i * row);
    both.set(below.subarray(i * row, (i + 1) * row), (2 * i + 1) * row);
  }
  return both;
}
