import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./differentiable.ts";
import { join, likewise, listed, multiplied, type Updated } from "./flat.ts";

type Vector = tf.Tensor1D;

export interface AdamUpdateAttrs {
  learningRate: number;
  /** β₁ and β₂ */
  beta1: number;
  beta2: number;
  epsilon: number;
  /** weight decay λ */
  decay: number;
  /** whether it is of the weights themselves, not of the gradient */
  decoupled: boolean;
  /** by what the gradients are multiplied first */
  scale: number;
  /** t, 1 at the first update */
  step: number;
}

/**
 * One step of Adam and AdamW, with the formula of training/src/optim/adam.ts; it has no gradient of its own. Written out
 * it is some fifteen passes over memory, which a backend's kernel makes one.
 *
 * @param given weights and gradients, and the means m and v of all of them, one weight after the other: [size]
 * @returns θ, m and v after the step
 */
export function adamUpdate(given: Updated & { m: Vector; v: Vector }, attrs: AdamUpdateAttrs) {
  const { weights, gradients } = given;
  if (hasKernel("ZooAdam")) {
    const inputs = { ...listed("weights", weights), ...listed("gradients", gradients), m: given.m, v: given.v };
    const results = runKernel("ZooAdam", inputs, attrs);
    const [m, v] = results.splice(weights.length) as Vector[];
    return { weights: results, m, v };
  }
  const { learningRate, beta1, beta2, epsilon, decay, decoupled, scale, step } = attrs;
  return tf.tidy(() => {
    const theta = join(weights); // [size]
    const gradient = multiplied(join(gradients), scale); // [size]
    const decayed = decay === 0 ? undefined : tf.mul(theta, decay); // [size]
    const g = decayed && !decoupled ? tf.add(gradient, decayed) : gradient; // [size]
    const m: Vector = tf.add(tf.mul(given.m, beta1), tf.mul(g, 1 - beta1)); // [size]
    const v: Vector = tf.add(tf.mul(given.v, beta2), tf.mul(tf.square(g), 1 - beta2)); // [size]
    const deviation = tf.add(tf.sqrt(tf.div(v, 1 - beta2 ** step)), epsilon); // [size]
    const direction = tf.div(tf.div(m, 1 - beta1 ** step), deviation); // [size]
    const total = decayed && decoupled ? tf.add(direction, decayed) : direction; // [size]
    const next: Vector = tf.sub(theta, tf.mul(total, learningRate)); // [size]
    return { weights: likewise(next, weights), m, v };
  });
}
