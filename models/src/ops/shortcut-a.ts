import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export interface ShortcutAAttrs {
  stride: number;
  /** channels of the result */
  channels: number;
}

/**
 * The parameter-free shortcut of He et al. 2016, sec. 3.3, option A: every s-th pixel, and zeros for the channels that
 * are new, half of them before the old ones and half after (as the reference code for CIFAR-10 has it).
 *
 *   y[n, i, j, c + before] = x[n, s i, s j, c]        y = 0 elsewhere
 *
 * Backward, the transpose:
 *
 *   ∂L/∂x[n, s i, s j, c] = ∂L/∂y[n, i, j, c + before]        ∂L/∂x = 0 elsewhere
 *
 * @param x [batch, height, width, inChannels]
 * @returns [batch, ⌈height / s⌉, ⌈width / s⌉, channels]
 */
export const shortcutA: Op<{ x: tf.Tensor }, ShortcutAAttrs> = differentiable("ShortcutA", {
  saved: ["x"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, { stride, channels }: ShortcutAAttrs) {
    const { before, after } = newChannels(x, channels);
    const sampled = tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, stride, stride, 1]); // [batch, outHeight, outWidth, inChannels]
    return {
      output: tf.pad(sampled, [
        [0, 0],
        [0, 0],
        [0, 0],
        [before, after],
      ]),
      saved: { x },
    };
  },

  backward(dy, { x }, { stride: s, channels }) {
    const [batch, height, width, inChannels] = x.shape;
    const [, outHeight, outWidth] = dy.shape;
    const { before } = newChannels(x, channels);
    const old = tf.slice(dy, [0, 0, 0, before], [batch, outHeight, outWidth, inChannels]);
    // Zeros between the pixels of a row, then between rows: as paddings of rank 3, which every backend has.
    const cells = tf.pad(tf.reshape(old, [-1, 1, inChannels]), [
      [0, 0],
      [0, s - 1],
      [0, 0],
    ]);
    const rows = tf.pad(tf.reshape(cells, [batch * outHeight, 1, -1]), [
      [0, 0],
      [0, s - 1],
      [0, 0],
    ]);
    const spread = tf.reshape(rows, [batch, outHeight * s, outWidth * s, inChannels]);
    return { x: tf.slice(spread, [0, 0, 0, 0], [batch, height, width, inChannels]) };
  },
});

function newChannels(x: tf.Tensor, channels: number): { before: number; after: number } {
  const [, , , inChannels] = x.shape;
  const added = channels - inChannels;
  const before = Math.floor(added / 2);
  return { before, after: added - before };
}
