import { InputError } from "@tfjs-zoo/models";
import type { FeatureRows } from "./feature-rows.ts";
import { nearest } from "./nearest.ts";

/** A sample is a copy where the nearest training image is so much nearer than the one after it. */
const COPY_RATIO = 1 / 3;

/** Share of copies from which on a generator is said to have learned by heart. */
const MANY_COPIES = 0.01;

/** What samples are compared with. */
export interface Originals {
  training: FeatureRows;
  /** Images of the same kind that the generator was not shown. */
  heldOut: FeatureRows;
}

/** How near samples lie to training images, beside held-out images. */
export interface Memorising {
  /** of each sample, the nearest training image and the distance to it */
  neighbours: { index: Int32Array; distance: Float64Array };
  /** median distance of a held-out image to its nearest training image */
  typicalDistance: number;
  /** share of samples nearer to a training image than that, 0 to 1: 0.5 of a generator as good as the data */
  nearer: number;
  /**
   * Whether samples are nearer to training images than held-out images are, as a standard normal number: far below 0
   * where samples are copied, far above where they are unlike the data
   */
  score: number;
  /** share of samples whose nearest training image is three times as near as the second nearest, 0 to 1 */
  copies: number;
  /** the same share of held-out images, which no generator copied: twins in the data */
  heldOutCopies: number;
  /** Whether copies are more than a hundredth, and more than the data's own twins explain. */
  memorised: boolean;
}

/**
 * The check for learning by heart: the nearest training image of every sample, by pixels or features, Euclidean.
 *
 * `score` is the z of the Mann-Whitney test that Meehan, Chaudhuri & Dasgupta 2020 ("A non-parametric test to detect
 * data-copying in generative models", sec. 3) put to the distances of samples and of held-out images. Blurred images lie
 * near to many others, so a low score alone is no proof. A copy is near to one image only: its distance to that is less than
 * a third of the distance to the next (Yoon et al. 2023, "Diffusion probabilistic models generalize when they fail to
 * memorize").
 *
 * @throws InputError for fewer than 2 training images, no sample or no held-out image, and for rows of different lengths
 */
export async function memorising(
  samples: FeatureRows,
  { training, heldOut }: Originals,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Memorising> {
  if (samples.count === 0 || heldOut.count === 0) {
    throw new InputError(
      `${samples.count} samples and ${heldOut.count} held-out images: expected at least one of each`,
    );
  }
  const total = samples.count + heldOut.count;
  const ofSamples = await nearest(samples, training, 2, (done) => onProgress(done, total));
  const ofHeldOut = await nearest(heldOut, training, 2, (done) => onProgress(samples.count + done, total));
  const distance = firstDistances(ofSamples.squared);
  const typical = firstDistances(ofHeldOut.squared);
  const typicalDistance = median(typical);
  const [copies, heldOutCopies] = [copiesOf(ofSamples.squared), copiesOf(ofHeldOut.squared)];
  return {
    neighbours: { index: ofSamples.index.filter((_, i) => i % 2 === 0), distance },
    typicalDistance,
    nearer: distance.filter((d) => d < typicalDistance).length / samples.count,
    score: mannWhitney(distance, typical),
    copies,
    heldOutCopies,
    memorised: copies > MANY_COPIES && copies > 2 * heldOutCopies,
  };
}

/** @param squared [count, 2] */
const firstDistances = (squared: Float64Array): Float64Array => squared.filter((_, i) => i % 2 === 0).map(Math.sqrt);

/** @param squared [count, 2] @returns the share of rows whose first distance is less than a third of the second */
function copiesOf(squared: Float64Array): number {
  let copies = 0;
  for (let i = 0; i < squared.length; i += 2) {
    if (squared[i] < COPY_RATIO ** 2 * squared[i + 1]) copies++;
  }
  return (2 * copies) / squared.length;
}

function median(values: Float64Array): number {
  const sorted = values.toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * z = (U − n m / 2) / √(n m (n + m + 1) / 12), U how many pairs of a number of a and a smaller one of b there are; equal
 * ones count a half.
 */
export function mannWhitney(a: Float64Array, b: Float64Array): number {
  const [n, m] = [a.length, b.length];
  const sorted = b.toSorted();
  let u = 0;
  for (const value of a) u += (countBelow(sorted, value, false) + countBelow(sorted, value, true)) / 2;
  return (u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
}

/** How many numbers of a sorted list are below a value, or equal to it as well. */
function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value || (orEqual && sorted[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}
