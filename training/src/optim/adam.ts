import * as tf from "@tensorflow/tfjs-core";
import type { Optimizer } from "./optimizer.ts";

export interface AdamOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  /** Decay the weights themselves, not through the gradient: AdamW. */
  decoupled?: boolean;
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1), and AdamW (Loshchilov & Hutter 2019, algorithm 2) when `decoupled`.
 *
 *   m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
 *   θ ← θ − η m̂ / (√v̂ + ε)        m̂ = m / (1 − β₁ᵗ)        v̂ = v / (1 − β₂ᵗ)
 *
 * Weight decay: Adam adds λ θ to g; AdamW subtracts η λ θ from θ.
 */
export function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decoupled = false }: AdamOptions = {}): Optimizer {
  return {
    name: decoupled ? "adamw" : "adam",
    slots: ["m", "v"],

    update({ weights, gradient, slots, learningRate, decay, step }) {
      const decayed = decay === 0 ? undefined : tf.mul(weights, decay); // [size]
      const g = decayed && !decoupled ? tf.add(gradient, decayed) : gradient; // [size]
      const m: tf.Tensor1D = tf.add(tf.mul(slots.m, beta1), tf.mul(g, 1 - beta1)); // [size]
      const v: tf.Tensor1D = tf.add(tf.mul(slots.v, beta2), tf.mul(tf.square(g), 1 - beta2)); // [size]
      const deviation = tf.add(tf.sqrt(tf.div(v, 1 - beta2 ** step)), epsilon); // [size]
      const direction = tf.div(tf.div(m, 1 - beta1 ** step), deviation); // [size]
      const total = decayed && decoupled ? tf.add(direction, decayed) : direction; // [size]
      return { weights: tf.sub(weights, tf.mul(total, learningRate)), slots: { m, v } };
    },
  };
}
