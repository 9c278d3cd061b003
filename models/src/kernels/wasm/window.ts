import * as tf from "@tensorflow/tfjs-core";
import type { Inputs } from "./backend.ts";

/** Zero rows and columns to add around images; negative numbers take rows and columns away. */
export interface Border {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/**
 * Adds or takes away what a window needs around images: what is to be taken away is cut off, what is to be added is
 * returned as the padding for a convolution to add, which costs nothing there.
 *
 * @param x [batch, height, width, channels]
 */
export function fit(x: tf.Tensor, border: Border): { x: tf.Tensor; pad: [number, number][] } {
  const { top, bottom, left, right } = border;
  const cut = (n: number) => Math.max(0, -n);
  const add = (n: number) => Math.max(0, n);
  const [batch, height, width, channels] = x.shape;
  const pad: [number, number][] = [
    [0, 0],
    [add(top), add(bottom)],
    [add(left), add(right)],
    [0, 0],
  ];
  if (Math.min(top, bottom, left, right) >= 0) return { x, pad };
  const size = [batch, height - cut(top) - cut(bottom), width - cut(left) - cut(right), channels];
  return { x: tf.slice(x, [0, cut(top), cut(left), 0], size), pad };
}

/**
 * Puts s − 1 zeros behind every row and column.
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, height · sh, width · sw, channels]
 */
export function spread(x: tf.Tensor, sh: number, sw: number): tf.Tensor {
  const [batch, height, width, channels] = x.shape;
  let wide = x;
  if (sw > 1) {
    const columns = tf.reshape(x, [batch * height * width, channels]);
    wide = tf.pad(columns, [
      [0, 0],
      [0, (sw - 1) * channels],
    ]);
  }
  if (sh > 1) {
    const rows = tf.reshape(wide, [batch * height, width * sw * channels]);
    wide = tf.pad(rows, [
      [0, 0],
      [0, (sh - 1) * width * sw * channels],
    ]);
  }
  return tf.reshape(wide, [batch, height * sh, width * sw, channels]);
}

/** Inputs of a kernel as tensors: the engine hands kernels the tensors themselves. */
export function tensors<Name extends string>(inputs: Inputs): Record<Name, tf.Tensor> {
  return inputs as unknown as Record<Name, tf.Tensor>;
}
