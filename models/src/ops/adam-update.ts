import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./differentiable.ts";

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
  /** t, 1 at the first update */
  step: number;
}

/**
 * One step of Adam and AdamW on flat vectors, with the formula of training/src/optim/adam.ts; it has no gradient of its own.
 * Written out it is some fifteen passes over memory, which a backend's kernel makes one.
 *
 * @param given weights θ, gradient g, and the means m and v, all [size]
 * @returns θ, m and v after the step
 */
export function adamUpdate(given: { [name in "weights" | "gradient" | "m" | "v"]: Vector }, attrs: AdamUpdateAttrs) {
  if (hasKernel("ZooAdam")) {
    const [weights, m, v] = runKernel("ZooAdam", given, attrs) as Vector[];
    return { weights, m, v };
  }
  const { learningRate, beta1, beta2, epsilon, decay, decoupled, step } = attrs;
  return tf.tidy(() => {
    const { weights, gradient } = given;
    const decayed = decay === 0 ? undefined : tf.mul(weights, decay); // [size]
    const g = decayed && !decoupled ? tf.add(gradient, decayed) : gradient; // [size]
    const m: Vector = tf.add(tf.mul(given.m, beta1), tf.mul(g, 1 - beta1)); // [size]
    const v: Vector = tf.add(tf.mul(given.v, beta2), tf.mul(tf.square(g), 1 - beta2)); // [size]
    const deviation = tf.add(tf.sqrt(tf.div(v, 1 - beta2 ** step)), epsilon); // [size]
    const direction = tf.div(tf.div(m, 1 - beta1 ** step), deviation); // [size]
    const total = decayed && decoupled ? tf.add(direction, decayed) : direction; // [size]
    return { weights: tf.sub(weights, tf.mul(total, learningRate)) as Vector, m, v };
  });
}
