import { ops } from "@tfjs-zoo/models";
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

    update({ weights, gradients, scale, slots: { m, v }, learningRate, decay, step }) {
      const attrs = { learningRate, beta1, beta2, epsilon, decay, decoupled, scale, step };
      const { weights: next, ...slots } = ops.adamUpdate({ weights, gradients, m, v }, attrs);
      return { weights: next, slots };
    },
  };
}
