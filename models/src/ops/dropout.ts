import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../random.ts";
import { differentiable, hasKernel, type Op, runKernel } from "./differentiable.ts";

/**
 * Dropout (Srivastava et al. 2014) in the inverted form: what is kept is scaled up, so that inference does nothing.
 *
 *   y = x m        ∂L/∂x = ∂L/∂y m        m = 0 with probability `rate`, else 1 / (1 − rate)
 *
 * The mask is an input, so that the caller's generator decides and the op is a plain function.
 *
 * @param x any shape  @param mask m, the shape of x, or 1 along axes whose elements are dropped together
 * @returns the shape of x
 */
export const dropout: Op<{ x: tf.Tensor; mask: tf.Tensor }, object> = differentiable("Dropout", {
  saved: ["mask"],
  gradients: ["x"],

  forward({ x, mask }: { x: tf.Tensor; mask: tf.Tensor }) {
    return { output: tf.mul(x, mask), saved: { mask } };
  },

  backward(dy, { mask }) {
    return { x: tf.mul(dy, mask) };
  },
});

/**
 * Draws a mask: element i by the stream's i-th number, on every backend the same.
 *
 * @param rate probability of 0, in [0, 1)
 */
export function dropoutMask(shape: readonly number[], rate: number, random: Random): tf.Tensor {
  if (hasKernel("ZooDropoutMask")) {
    const key = tf.tensor1d([...random.key], "int32"); // [2]
    const [mask] = runKernel("ZooDropoutMask", { key }, { shape, rate });
    key.dispose();
    return mask;
  }
  const kept = 1 / (1 - rate);
  const size = tf.util.sizeFromShape([...shape]);
  const values = Float32Array.from({ length: size }, () => (random.uniform() < rate ? 0 : kept));
  return tf.tensor(values, [...shape]);
}
