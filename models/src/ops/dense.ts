import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export type DenseInputs = { x: tf.Tensor; weight: tf.Tensor; bias?: tf.Tensor };

/**
 * Affine map of the last axis.
 *
 *   y = x W + b
 *
 * Backward, with the leading axes taken as one:
 *
 *   ∂L/∂x = ∂L/∂y Wᵀ        ∂L/∂W = xᵀ ∂L/∂y        ∂L/∂b = Σ ∂L/∂y
 *
 * @param x [..., in]  @param weight [in, out]  @param bias [out], optional
 * @returns [..., out]
 */
export const dense: Op<DenseInputs, object> = differentiable("Dense", {
  gradients: ["x", "weight", "bias"],

  forward({ x, weight, bias }: DenseInputs) {
    const y = tf.matMul(rows(x), weight as tf.Tensor2D); // [rows, out]
    const shifted = bias === undefined ? y : tf.add(y, bias); // [rows, out]
    const [, out] = weight.shape;
    return { output: tf.reshape(shifted, [...x.shape.slice(0, -1), out]), saved: { x, weight, bias } };
  },

  backward(dy, { x, weight, bias }) {
    return {
      x: () => tf.reshape(tf.matMul(rows(dy), weight as tf.Tensor2D, false, true), x.shape), // [..., in]
      weight: () => tf.matMul(rows(x), rows(dy), true, false), // [in, out]
      ...(bias && { bias: () => tf.sum(rows(dy), 0) }), // [out]
    };
  },
});

/** [..., d] as [rows, d]. */
function rows(x: tf.Tensor): tf.Tensor2D {
  return x.rank === 2 ? (x as tf.Tensor2D) : tf.reshape(x, [-1, x.shape[x.rank - 1]]);
}
