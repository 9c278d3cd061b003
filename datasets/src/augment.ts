import type { RandAugment } from "./rand-augment.ts";
import type { ImageSet, Random } from "./types.ts";

/** Random changes to a training image; what is absent or zero is not done. */
export interface Augmentation {
  /** Pixels of black added on each side before a crop of the original size is taken at random (He et al. 2016, 4.2). */
  pad?: number;
  /** What those pixels are: black, or the image mirrored at its edge pixels. Default "zeros". */
  border?: "zeros" | "reflect";
  /** Mirror left and right, with probability one half. */
  flip?: boolean;
  /** Draw the mirroring once an image, and do the opposite every other epoch (Jordan 2024, sec. 3.6). */
  alternateFlip?: boolean;
  /** Side of a square that is set to the mean; its centre is uniform, so that it may hang over the edge (DeVries & Taylor 2017). */
  cutout?: number;
  /** Operations drawn from a list, before all else, as in the authors' code. */
  randAugment?: RandAugment;
}

/** Turns one image, `source` [height, width, channels] from an offset on, into floats at an offset of `target`. */
export type Transform = (
  source: Uint8Array,
  sourceOffset: number,
  target: Float32Array,
  targetOffset: number,
  random?: Random,
  /** Whether to mirror, where that is not to be drawn here. */
  flipped?: boolean,
) => void;

/** The pixel that a mirror at the first and at the last one shows at place i. */
function reflected(i: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const at = ((i % period) + period) % period;
  return at < size ? at : period - at;
}

/**
 * Normalisation of every pixel value: entry `channel * 256 + value` is (value / 255 - mean) / std.
 *
 * @throws RangeError where mean or std does not have one entry a channel
 */
export function normalisationTable(mean: readonly number[], std: readonly number[], channels: number): Float32Array {
  if (mean.length !== channels || std.length !== channels) {
    throw new RangeError(`${mean.length} means and ${std.length} standard deviations for ${channels} channels`);
  }
  const table = new Float32Array(256 * channels);
  for (let c = 0; c < channels; c++) {
    for (let value = 0; value < 256; value++) table[c * 256 + value] = (value / 255 - mean[c]) / std[c];
  }
  return table;
}

/**
 * Crop, flip, normalisation and cutout in one pass over the pixels. As in torchvision's usual pipeline the padding is
 * raw black, normalised like any pixel, whereas a cut-out square is zero after normalisation: the mean.
 *
 * @param augmentation needs the `random` argument of the transform; without it images are only normalised
 */
export function imageTransform(
  shape: ImageSet["shape"],
  mean: readonly number[],
  std: readonly number[],
  augmentation: Augmentation = {},
): Transform {
  const [height, width, channels] = shape;
  const table = normalisationTable(mean, std, channels);
  const rowSize = width * channels;
  const pad = augmentation.pad ?? 0;
  const cutout = augmentation.cutout ?? 0;
  const black = new Float32Array(rowSize);
  for (let i = 0; i < rowSize; i++) black[i] = table[(i % channels) * 256];

  const columns = new Int32Array(width);
  /** The crop at a shift, every pixel of it from the image. */
  const cropReflected = (
    source: Uint8Array,
    sourceOffset: number,
    target: Float32Array,
    targetOffset: number,
    [shiftY, shiftX]: [number, number],
    flipped: boolean,
  ) => {
    for (let x = 0; x < width; x++) {
      columns[x] = reflected((flipped ? width - 1 - x : x) + shiftX, width) * channels;
    }
    for (let y = 0; y < height; y++) {
      const from = sourceOffset + reflected(y + shiftY, height) * rowSize;
      let to = targetOffset + y * rowSize;
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) target[to++] = table[c * 256 + source[from + columns[x] + c]];
      }
    }
  };

  return (source, sourceOffset, target, targetOffset, random, given) => {
    const shiftY = random && pad > 0 ? random.integer(2 * pad + 1) - pad : 0;
    const shiftX = random && pad > 0 ? random.integer(2 * pad + 1) - pad : 0;
    const flipped = given ?? (random !== undefined && augmentation.flip === true && random.uniform() < 0.5);

    // Columns [first, last) of the crop show the image; the others show padding.
    const first = Math.min(width, Math.max(0, -shiftX));
    const last = Math.max(first, Math.min(width, width - shiftX));
    const step = flipped ? -channels : channels;
    const reflect = augmentation.border === "reflect" && (shiftY !== 0 || shiftX !== 0);
    if (reflect) cropReflected(source, sourceOffset, target, targetOffset, [shiftY, shiftX], flipped);
    for (let y = 0; y < height && !reflect; y++) {
      const row = targetOffset + y * rowSize;
      const sourceY = y + shiftY;
      if (sourceY < 0 || sourceY >= height) {
        target.set(black, row);
        continue;
      }
      if (last - first < width) target.set(black, row);
      let from = sourceOffset + sourceY * rowSize + (first + shiftX) * channels;
      const end = sourceOffset + sourceY * rowSize + (last + shiftX) * channels;
      let to = row + (flipped ? width - 1 - first : first) * channels;
      if (channels === 3) {
        for (; from < end; from += 3, to += step) {
          target[to] = table[source[from]];
          target[to + 1] = table[256 + source[from + 1]];
          target[to + 2] = table[512 + source[from + 2]];
        }
      } else {
        for (; from < end; from += channels, to += step) {
          for (let c = 0; c < channels; c++) target[to + c] = table[c * 256 + source[from + c]];
        }
      }
    }

    if (random && cutout > 0) {
      const top = random.integer(height) - (cutout >> 1);
      const left = random.integer(width) - (cutout >> 1);
      const firstColumn = Math.max(0, left) * channels;
      const endColumn = Math.min(width, left + cutout) * channels;
      for (let y = Math.max(0, top); y < Math.min(height, top + cutout); y++) {
        const row = targetOffset + y * rowSize;
        target.fill(0, row + firstColumn, row + endColumn);
      }
    }
  };
}
