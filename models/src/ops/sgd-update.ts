import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./differentiable.ts";
import { join, likewise, listed, multiplied, type Updated } from "./flat.ts";

export interface SgdUpdateAttrs {
  learningRate: number;
  /** weight decay λ */
  decay: number;
  /** μ */
  momentum: number;
  nesterov: boolean;
  /** by what the gradients are multiplied first */
  scale: number;
}

/**
 * One step of stochastic gradient descent, with the formula of training/src/optim/sgd.ts; it has no gradient of its own.
 *
 * @param given weights and gradients, and what is carried of all of them, one weight after the other: v [size], left out
 *   where there is no momentum
 * @returns θ and v after the step
 */
export function sgdUpdate(given: Updated & { v?: tf.Tensor1D }, attrs: SgdUpdateAttrs) {
  const { weights, gradients } = given;
  const { learningRate, decay, momentum, nesterov, scale } = attrs;
  if (given.v !== undefined && hasKernel("ZooSgd")) {
    const inputs = { ...listed("weights", weights), ...listed("gradients", gradients), v: given.v };
    const results = runKernel("ZooSgd", inputs, attrs);
    const v = results.pop() as tf.Tensor1D;
    return { weights: results, v };
  }
  return tf.tidy(() => {
    const theta = join(weights); // [size]
    const gradient = multiplied(join(gradients), scale); // [size]
    const g: tf.Tensor1D = decay === 0 ? gradient : tf.add(gradient, tf.mul(theta, decay)); // [size]
    const v: tf.Tensor1D | undefined = given.v && tf.add(tf.mul(given.v, momentum), g); // [size]
    const direction = v === undefined ? g : nesterov ? tf.add(g, tf.mul(v, momentum)) : v; // [size]
    const next: tf.Tensor1D = tf.sub(theta, tf.mul(direction, learningRate)); // [size]
    return { weights: likewise(next, weights), ...(v && { v }) };
  });
}
