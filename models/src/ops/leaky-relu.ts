import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export interface LeakyReluAttrs {
  /** a, at least 0; DCGAN has 0.2 */
  slope?: number;
}

/**
 * Leaky rectified linear unit (Maas, Hannun & Ng 2013, sec. 2).
 *
 *   y = x where x > 0, a x elsewhere        ∂L/∂x = ∂L/∂y where y > 0, a ∂L/∂y elsewhere
 *
 * The gradient at 0 is that from below. Only y is kept, which has the sign of x.
 *
 * @param x any shape
 * @returns the shape of x
 */
export const leakyRelu: Op<{ x: tf.Tensor }, LeakyReluAttrs> = differentiable("LeakyRelu", {
  saved: ["y"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, { slope = 0.01 }: LeakyReluAttrs) {
    const y = tf.leakyRelu(x, slope);
    return { output: y, saved: { y } };
  },

  backward(dy, { y }, { slope = 0.01 }) {
    return { x: tf.mul(dy, tf.step(y, slope)) };
  },
});
