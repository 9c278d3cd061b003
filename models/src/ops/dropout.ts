import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

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
  gradients: ["x"],

  forward({ x, mask }: { x: tf.Tensor; mask: tf.Tensor }) {
    return { output: tf.mul(x, mask), saved: { mask } };
  },

  backward(dy, { mask }) {
    return { x: tf.mul(dy, mask) };
  },
});
