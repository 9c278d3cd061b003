import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./differentiable.ts";

/** Sums over all axes but the last: [..., d] -> [d]. */
export function sumToLastAxis(x: tf.Tensor): tf.Tensor1D {
  if (hasKernel("ZooSumChannels")) return runKernel("ZooSumChannels", { x }, {})[0] as tf.Tensor1D;
  return tf.sum(tf.reshape(x, [-1, x.shape[x.rank - 1]]), 0);
}
