import * as tf from "@tensorflow/tfjs-core";
import type { Optimizer } from "./optimizer.ts";

/**
 * Stochastic gradient descent with momentum (Polyak 1964), or Nesterov's (Sutskever et al. 2013), as PyTorch writes it.
 *
 *   g ← g + λ θ        v ← μ v + g        θ ← θ − η v        Nesterov: θ ← θ − η (g + μ v)
 *
 * @param momentum μ
 */
export function sgd({ momentum = 0.9, nesterov = false } = {}): Optimizer {
  return {
    name: "sgd",
    slots: momentum === 0 ? [] : ["momentum"],

    update({ weights, gradient, slots, learningRate, decay }) {
      const g = decay === 0 ? gradient : tf.add(gradient, tf.mul(weights, decay)); // [size]
      if (momentum === 0) return { weights: tf.sub(weights, tf.mul(g, learningRate)), slots };
      const v: tf.Tensor1D = tf.add(tf.mul(slots.momentum, momentum), g); // [size]
      const direction = nesterov ? tf.add(g, tf.mul(v, momentum)) : v; // [size]
      return { weights: tf.sub(weights, tf.mul(direction, learningRate)), slots: { momentum: v } };
    },
  };
}
