import { InputError } from "../errors.ts";

/** [height, width] */
export type Pair = readonly [height: number, width: number];

/** One number for both axes, or [height, width]. */
export type PairLike = number | Pair;

/** Zero rows and columns around an image as tfjs's kernels take them. */
export type ExplicitPadding = [[0, 0], [top: number, bottom: number], [left: number, right: number], [0, 0]];

export function pair(value: PairLike): Pair {
  return typeof value === "number" ? [value, value] : value;
}

export function explicitPadding([height, width]: Pair): ExplicitPadding {
  return [
    [0, 0],
    [height, height],
    [width, width],
    [0, 0],
  ];
}

/**
 * Output size along one axis of a window that slides over a padded axis:
 * ⌊(size + 2 padding − dilation (window − 1) − 1) / stride⌋ + 1.
 *
 * @throws InputError when the window does not fit
 */
export function windowOutput(size: number, window: number, stride: number, padding: number, dilation = 1): number {
  const span = dilation * (window - 1) + 1;
  const output = Math.floor((size + 2 * padding - span) / stride) + 1;
  if (output < 1) {
    throw new InputError(
      `a window of ${span} does not fit an axis of ${size} pixels with padding ${padding}: use a larger input`,
    );
  }
  return output;
}
