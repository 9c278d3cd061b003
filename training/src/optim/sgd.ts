import { ops } from "@tfjs-zoo/models";
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

    update({ weights, gradients, scale, slots, learningRate, decay }) {
      const attrs = { learningRate, decay, momentum, nesterov, scale };
      const { weights: next, v } = ops.sgdUpdate({ weights, gradients, v: slots.momentum }, attrs);
      return { weights: next, slots: v === undefined ? slots : { momentum: v } };
    },
  };
}
