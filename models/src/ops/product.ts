import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./differentiable.ts";

/** x W + b, or x Wᵀ: [rows, in] -> [rows, out] */
export function product(
  x: tf.Tensor2D,
  weight: tf.Tensor,
  { bias, transposed = false }: { bias?: tf.Tensor; transposed?: boolean },
): tf.Tensor {
  if (hasKernel("ZooAffine")) return runKernel("ZooAffine", { x, weight, bias }, { transposed })[0];
  const y = tf.matMul(x, weight as tf.Tensor2D, false, transposed);
  return bias === undefined ? y : tf.add(y, bias);
}

/** [batch, ...] as a matrix: [batch, numbers of each]. */
export const examples = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [x.shape[0], -1]);

/** A convolution's filter as a matrix: [height, width, a, b] as [height · width · a, b]. */
export const taps = (filter: tf.Tensor): tf.Tensor2D => tf.reshape(filter, [-1, filter.shape[3] as number]);
