import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";
import { product } from "./product.ts";
import { sumToLastAxis } from "./sum-to-last-axis.ts";

export type DenseInputs = { x: tf.Tensor; weight: tf.Tensor; bias?: tf.Tensor };
export interface DenseAttrs {
  /** The weight is given as Wᵀ, as an output layer that shares a table of embeddings has it. */
  transposed?: boolean;
}

/**
 * Affine map of the last axis.
 *
 *   y = x W + b
 *
 * Backward, with the leading axes taken as one:
 *
 *   ∂L/∂x = ∂L/∂y Wᵀ        ∂L/∂W = xᵀ ∂L/∂y        ∂L/∂b = Σ ∂L/∂y
 *
 * @param x [..., in]  @param weight [in, out], or [out, in] where it is transposed  @param bias [out], optional
 * @returns [..., out]
 */
export const dense: Op<DenseInputs, DenseAttrs> = differentiable("Dense", {
  gradients: ["x", "weight", "bias"],

  forward({ x, weight, bias }: DenseInputs, { transposed = false }: DenseAttrs) {
    const y = product(rows(x), weight, { bias, transposed }); // [rows, out]
    const out = y.shape[1] as number;
    return { output: shaped(y, [...x.shape.slice(0, -1), out]), saved: { x, weight, bias } };
  },

  backward(dy, { x, weight, bias }, { transposed = false }) {
    const [first, second] = transposed ? [dy, x] : [x, dy];
    return {
      x: () => shaped(product(rows(dy), weight, { transposed: !transposed }), x.shape), // [..., in]
      weight: () => tf.matMul(rows(first), rows(second), true, false), // [in, out], or [out, in]
      ...(bias && { bias: () => sumToLastAxis(dy) }), // [out]
    };
  },
});

/** Rows [rows, d] as [..., d]; nothing to do where that is the same. */
const shaped = (y: tf.Tensor, shape: number[]): tf.Tensor => (shape.length === 2 ? y : tf.reshape(y, shape));

/** [..., d] as [rows, d]. */
function rows(x: tf.Tensor): tf.Tensor2D {
  return x.rank === 2 ? (x as tf.Tensor2D) : tf.reshape(x, [-1, x.shape[x.rank - 1]]);
}
