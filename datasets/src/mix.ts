import type { Batch, ImageSet, Random } from "./types.ts";

/** Training on mixtures of two images, with both their labels; what is absent or zero is not done. */
export interface Mixing {
  /** α of mixup: pixels are λ x + (1 − λ) x', λ from Beta(α, α) (Zhang et al. 2018, sec. 2). */
  mixup?: number;
  /** α of CutMix: a rectangle of x' in x, of area 1 − λ, λ from Beta(α, α) (Yun et al. 2019, sec. 3.1). */
  cutmix?: number;
}

/**
 * Mixes each image of a batch with another of it, the whole batch in one way and by one share; where both ways are asked
 * for, one of them by chance.
 *
 * @param batch its images are changed
 * @returns the batch with its second labels
 */
export function mixBatch(
  batch: Batch,
  shape: ImageSet["shape"],
  { mixup = 0, cutmix = 0 }: Mixing,
  random: Random,
): Batch {
  if ((mixup === 0 && cutmix === 0) || batch.size < 2) return batch;
  const cut = cutmix > 0 && (mixup === 0 || random.uniform() < 0.5);
  const lambda = beta(cut ? cutmix : mixup, random);
  const offset = 1 + random.integer(batch.size - 1);
  const partner = (i: number) => (i + offset) % batch.size;
  const labels = batch.labels.map((_, i) => batch.labels[partner(i)]);
  const share = (cut ? cutFrom : blend)(batch, shape, lambda, partner, random);
  return { ...batch, mixed: { labels, share } };
}

/** @returns the share of the first image */
function blend({ images, size }: Batch, _: ImageSet["shape"], lambda: number, partner: (i: number) => number): number {
  const others = images.slice();
  const count = images.length / size;
  for (let i = 0; i < size; i++) {
    const [to, from] = [i * count, partner(i) * count];
    for (let k = 0; k < count; k++) images[to + k] = lambda * others[to + k] + (1 - lambda) * others[from + k];
  }
  return lambda;
}

function cutFrom(
  { images, size }: Batch,
  [height, width, channels]: ImageSet["shape"],
  lambda: number,
  partner: (i: number) => number,
  random: Random,
): number {
  const side = Math.sqrt(1 - lambda);
  const range = (length: number): [number, number] => {
    const [centre, half] = [random.integer(length), (side * length) / 2];
    return [Math.max(0, Math.round(centre - half)), Math.min(length, Math.round(centre + half))];
  };
  const [[top, bottom], [left, right]] = [range(height), range(width)];
  const others = images.slice();
  const count = height * width * channels;
  for (let i = 0; i < size; i++) {
    for (let y = top; y < bottom; y++) {
      const row = (y * width + left) * channels;
      const from = partner(i) * count + row;
      images.set(others.subarray(from, from + (right - left) * channels), i * count + row);
    }
  }
  return 1 - ((bottom - top) * (right - left)) / (height * width);
}

/** Below this, Beta(α, α) is a coin as far as pixels tell. */
const COIN = 0.01;

/** A draw from Beta(α, α) (Jöhnk 1964), for α up to 8: beyond, it would take too many tries. */
function beta(alpha: number, random: Random): number {
  if (alpha < COIN) return random.integer(2);
  for (;;) {
    // In logarithms: for a small α both powers may be too small for a number.
    const [u, v] = [Math.log(1 - random.uniform()) / alpha, Math.log(1 - random.uniform()) / alpha];
    const most = Math.max(u, v);
    const sum = most + Math.log(Math.exp(u - most) + Math.exp(v - most));
    if (sum <= 0) return Math.exp(u - sum);
  }
}
