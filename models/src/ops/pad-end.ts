import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

/**
 * A row of zeros below an image and a column to its right: what TensorFlow's padding `SAME` adds before a 3×3 convolution
 * of stride 2, where the size is even.
 *
 *   y[n, i, j, c] = x[n, i, j, c] for i < height and j < width, else 0        ∂L/∂x[n, i, j, c] = ∂L/∂y[n, i, j, c]
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, height + 1, width + 1, channels]
 */
export const padEnd: Op<{ x: tf.Tensor }, object> = differentiable("PadEnd", {
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }) {
    const padding: [number, number][] = [
      [0, 0],
      [0, 1],
      [0, 1],
      [0, 0],
    ];
    return { output: tf.pad(x, padding), saved: {} };
  },

  backward(dy) {
    const [batch, height, width, channels] = dy.shape;
    return { x: tf.slice(dy, [0, 0, 0, 0], [batch, height - 1, width - 1, channels]) };
  },
});
