import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export interface EluAttrs {
  /** α, what y comes down to far below 0: −α */
  alpha?: number;
}

/**
 * Exponential linear unit (Clevert, Unterthiner & Hochreiter 2016, eq. 15 and 16).
 *
 *   y = x where x > 0, α (eˣ − 1) elsewhere        ∂L/∂x = ∂L/∂y where y > 0, (y + α) ∂L/∂y elsewhere
 *
 * Only y is kept.
 *
 * @param x any shape
 * @returns the shape of x
 */
export const elu: Op<{ x: tf.Tensor }, EluAttrs> = differentiable("Elu", {
  saved: ["y"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, { alpha = 1 }: EluAttrs) {
    const unit = tf.elu(x);
    const above = tf.relu(unit);
    const y = alpha === 1 ? unit : tf.add(above, tf.mul(tf.sub(unit, above), alpha));
    return { output: y, saved: { y } };
  },

  backward(dy, { y }, { alpha = 1 }) {
    const above = tf.step(y);
    const slope = tf.add(above, tf.mul(tf.sub(1, above), tf.add(y, alpha)));
    return { x: tf.mul(dy, slope) };
  },
});
