import * as tf from "@tensorflow/tfjs-core";
import { drawLatents, interpolation, randomStream, traversal, type Vae } from "@tfjs-zoo/models";
import { type AutoencoderInfo, autoencoderFrom, drawnImages, readAutoencoder } from "@tfjs-zoo/training/node";
import { type Output, startBackendFor, UsageError } from "../../context.ts";
import { expectFinite } from "../../expect-finite.ts";
import { testPictures } from "../test-set.ts";
import type { Made, SampleFlags, Wanted } from "./index.ts";

export const shows = ["samples", "interpolation", "traversal", "reconstructions"] as const;

/** Images that an autoencoder makes. */
export async function autoencoderImages(wanted: Wanted, flags: SampleFlags, output: Output): Promise<Made> {
  const show = flags.show ?? "samples";
  const file = await readAutoencoder(wanted.path);
  await startBackendFor(flags, output);
  const vae = autoencoderFrom(file, wanted.path);
  try {
    const images = await imagesOf(vae, file.info, show, wanted, output);
    return { images, shape: file.info.inputShape, facts: { show } };
  } finally {
    vae.dispose();
  }
}

/** [rows · columns, height, width, channels], 0 to 1 */
async function imagesOf(
  vae: Vae,
  info: AutoencoderInfo,
  show: string,
  wanted: Wanted,
  output: Output,
): Promise<Float32Array> {
  const { rows, columns, seed } = wanted;
  const random = randomStream(seed, "sample");
  const draw = (count: number) => drawLatents(count, vae.latent, random);
  const decoded = (z: number[][]) => valuesOf(info, () => drawnImages(vae, tf.tensor2d(z, [z.length, vae.latent])));
  if (show === "samples") return decoded(draw(rows * columns));
  if (show === "interpolation") {
    if (columns < 2) throw new UsageError(`--show interpolation needs 2 columns at least, and --grid has ${columns}`);
    const ends = draw(2 * rows);
    return decoded(
      Array.from({ length: rows }, (_, row) => interpolation(ends[2 * row], ends[2 * row + 1], columns)).flat(),
    );
  }
  if (show === "traversal") {
    if (rows > vae.latent) {
      throw new UsageError(`--show traversal has a row for each of ${vae.latent} numbers, and --grid has ${rows} rows`);
    }
    const numbers = Array.from({ length: rows }, (_, row) => row);
    return decoded(traversal(draw(1)[0], numbers, columns));
  }
  return reconstructions(vae, info, wanted, output);
}

/** Rows of test images, and below each row what the autoencoder makes of it. */
async function reconstructions(
  vae: Vae,
  info: AutoencoderInfo,
  { rows, columns }: Wanted,
  output: Output,
): Promise<Float32Array> {
  if (rows % 2 === 1) {
    throw new UsageError(`--show reconstructions needs an even number of rows, and --grid has ${rows}`);
  }
  const count = (rows / 2) * columns;
  const originals = await testPictures(info, count, output);
  const drawn = await valuesOf(info, () => {
    const [mean] = vae.encode.apply(tf.tensor4d(originals, [count, ...info.inputShape])) as tf.Tensor[];
    return drawnImages(vae, mean);
  });
  const row = originals.length / (rows / 2);
  const both = new Float32Array(2 * originals.length);
  for (let i = 0; i < rows / 2; i++) {
    both.set(originals.subarray(i * row, (i + 1) * row), 2 * i * row);
    both.set(drawn.subarray(i * row, (i + 1) * row), (2 * i + 1) * row);
  }
  return both;
}

/** @throws InputError where they are not finite: the weights are damaged */
async function valuesOf(info: AutoencoderInfo, images: () => tf.Tensor): Promise<Float32Array> {
  const made = tf.tidy(images);
  const values = (await made.data()) as Float32Array;
  made.dispose();
  expectFinite(values, info);
  return values;
}
