import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op, runKernel } from "./differentiable.ts";
import { type PairLike, pair, windowOutput } from "./window.ts";

export interface Pool2DAttrs {
  poolSize: PairLike;
  /** as large as the window unless given */
  strides?: PairLike;
  /** on either side, as in PyTorch */
  padding?: PairLike;
}

/** Less than any activation, yet finite: a window of it and an infinity has no NaN. */
const LOWEST = -3.4e38;

/**
 * The largest value of every window (Riesenhuber & Poggio 1999; with overlapping windows Krizhevsky et al. 2012,
 * sec. 3.4). Padding never wins.
 *
 *   y[n, i, j, c] = max_{u,v} x[n, s i + u − p, s j + v − p, c]
 *
 * Backward: each ∂L/∂y goes to the position that won; of equal ones, to the first in reading order.
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, outHeight, outWidth, channels]
 * @throws InputError when the window does not fit
 */
export const maxPool2d: Op<{ x: tf.Tensor }, Pool2DAttrs> = differentiable("MaxPool2D", {
  saved: ["x", "y"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, attrs: Pool2DAttrs) {
    const padded = padded2d(x, attrs, LOWEST); // [batch, height + 2p, width + 2p, channels]
    const output = runKernel(tf.MaxPool, { x: padded }, stockPool(attrs))[0];
    return { output, saved: { x, y: output } };
  },

  backward(dy, { x, y }, attrs) {
    return {
      x: () => {
        const padded = padded2d(x, attrs, LOWEST);
        const gradient = runKernel(tf.MaxPoolGrad, { dy, input: padded, output: y }, stockPool(attrs))[0];
        return unpadded2d(gradient, x, attrs); // [batch, height, width, channels]
      },
    };
  },
});

/** @throws InputError when the window does not fit */
export function padded2d(x: tf.Tensor, { poolSize, strides = poolSize, padding = 0 }: Pool2DAttrs, value: number) {
  const [ph, pw] = pair(padding);
  const [, height, width] = x.shape;
  windowOutput(height, pair(poolSize)[0], pair(strides)[0], ph);
  windowOutput(width, pair(poolSize)[1], pair(strides)[1], pw);
  if (ph === 0 && pw === 0) return x;
  return tf.pad(
    x,
    [
      [0, 0],
      [ph, ph],
      [pw, pw],
      [0, 0],
    ],
    value,
  );
}

export function unpadded2d(gradient: tf.Tensor, x: tf.Tensor, { padding = 0 }: Pool2DAttrs): tf.Tensor {
  const [ph, pw] = pair(padding);
  return ph === 0 && pw === 0 ? gradient : tf.slice(gradient, [0, ph, pw, 0], x.shape);
}

export function stockPool({ poolSize, strides = poolSize }: Pool2DAttrs) {
  return { filterSize: pair(poolSize), strides: pair(strides), pad: "valid" };
}
