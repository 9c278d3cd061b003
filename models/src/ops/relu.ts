import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

/**
 * Rectified linear unit (Nair & Hinton 2010).
 *
 *   y = max(x, 0)        ∂L/∂x = ∂L/∂y [y > 0]
 *
 * The gradient at 0 is 0. Only y is kept, so x can be freed or overwritten.
 *
 * @param x any shape
 * @returns the shape of x
 */
export const relu: Op<{ x: tf.Tensor }, object> = differentiable("Relu", {
  saved: ["y"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }) {
    const y = tf.relu(x);
    return { output: y, saved: { y } };
  },

  backward(dy, { y }) {
    return { x: tf.mul(dy, tf.step(y)) };
  },
});
