import { type Augmentation, imageTransform, type Transform } from "./augment.ts";
import { InputError } from "./errors.ts";
import { type Mixing, mixBatch } from "./mix.ts";
import { randAugment } from "./rand-augment.ts";
import { permutation } from "./split.ts";
import type { Batch, ImageSet, Random, RandomSource } from "./types.ts";

export interface EvaluationOptions {
  set: ImageSet;
  /** Per channel, of pixels scaled to 0..1. */
  mean: readonly number[];
  /** Per channel, of pixels scaled to 0..1. */
  std: readonly number[];
  batchSize: number;
}

export interface EpochOptions extends EvaluationOptions {
  augmentation?: Augmentation;
  mixing?: Mixing;
  random: RandomSource;
  /** Part of every random path: each epoch has its own order and augmentation. */
  epoch: number;
  /** Leave out a last batch that is smaller than the others. */
  dropLast?: boolean;
  /** The batch to begin at, as when a run goes on in the middle of an epoch. */
  start?: number;
}

/**
 * How many batches an epoch has.
 *
 * @throws InputError unless batchSize is a whole number of at least 1, and where `dropLast` would leave nothing
 */
export function batchCount(items: number, batchSize: number, dropLast = false, what = "images"): number {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new InputError(`batch size ${batchSize}: give a whole number of at least 1`);
  }
  if (dropLast && items < batchSize) {
    throw new InputError(`batch size ${batchSize} is more than the set's ${items} ${what}: give a smaller one`);
  }
  return dropLast ? Math.floor(items / batchSize) : Math.ceil(items / batchSize);
}

/**
 * The batches of one training epoch: shuffled, augmented, normalised. The order depends on random("shuffle", epoch)
 * alone, an image's augmentation on random("augment", epoch, index), random("rand-augment", epoch, index) and
 * random("flip", index) alone, how a batch is mixed on random("mix", epoch, batch), so batch k is bit-equal however many
 * batches were made before it. Every batch has arrays of its own: a backend may go on reading them after the step
 * that was given them (tfjs-node uploads a tensor when it is first used), so reusing them would not be safe.
 */
export async function* epochBatches(options: EpochOptions): AsyncGenerator<Batch, void, undefined> {
  const { set, batchSize, random, epoch, dropLast = false, start = 0, augmentation, mixing } = options;
  const count = batchCount(set.count, batchSize, dropLast);
  const order = permutation(set.count, random("shuffle", epoch));
  const transform = imageTransform(set.shape, options.mean, options.std, augmentation);
  const distorted = augmentation?.randAugment?.operations
    ? randAugment(set.shape, augmentation.randAugment)
    : undefined;
  const distort =
    distorted &&
    ((pixels: Uint8Array, offset: number, index: number) =>
      distorted(pixels, offset, random("rand-augment", epoch, index)));
  const augmented = augmentation?.pad || augmentation?.flip || augmentation?.cutout;
  const streamOf = augmented ? (index: number) => random("augment", epoch, index) : undefined;
  const { flip, alternateFlip } = augmentation ?? {};
  const flippedOf =
    flip && alternateFlip ? (index: number) => random("flip", index).uniform() < 0.5 !== (epoch % 2 === 1) : undefined;
  for (let batch = start; batch < count; batch++) {
    const indices = order.slice(batch * batchSize, (batch + 1) * batchSize);
    const prepared = await prepare(set, indices, transform, { streamOf, flippedOf, distort });
    yield mixing ? mixBatch(prepared, set.shape, mixing, random("mix", epoch, batch)) : prepared;
  }
}

/** All images of a set in order, normalised and nothing else; the last batch may be smaller. */
export async function* evaluationBatches(options: EvaluationOptions): AsyncGenerator<Batch, void, undefined> {
  const { set, batchSize } = options;
  const count = batchCount(set.count, batchSize);
  const transform = imageTransform(set.shape, options.mean, options.std);
  for (let batch = 0; batch < count; batch++) {
    const first = batch * batchSize;
    const size = Math.min(batchSize, set.count - first);
    yield await prepare(
      set,
      Int32Array.from({ length: size }, (_, i) => first + i),
      transform,
    );
  }
}

/** What is drawn for an image, by its index. */
interface PerImage {
  streamOf?: (index: number) => Random;
  flippedOf?: (index: number) => boolean | undefined;
  /** Changes the image's pixels from an offset on. */
  distort?: (pixels: Uint8Array, offset: number, index: number) => void;
}

async function prepare(
  set: ImageSet,
  indices: Int32Array,
  transform: Transform,
  { streamOf, flippedOf, distort }: PerImage = {},
): Promise<Batch> {
  const size = indices.length;
  const imageSize = set.shape[0] * set.shape[1] * set.shape[2];
  const pixels = new Uint8Array(size * imageSize);
  await set.read(indices, pixels);
  const images = new Float32Array(size * imageSize);
  const labels = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    distort?.(pixels, i * imageSize, indices[i]);
    transform(pixels, i * imageSize, images, i * imageSize, streamOf?.(indices[i]), flippedOf?.(indices[i]));
    labels[i] = set.labels[indices[i]];
  }
  return { images, labels, size, indices };
}
