import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { adam } from "./adam.ts";
import type { Optimizer, Slots } from "./optimizer.ts";
import { sgd } from "./sgd.ts";

beforeAll(() => tf.setBackend("cpu"));

const decay = [0.01, 0];
const learningRate = 0.1;
/** A quadratic bowl with another curvature along each axis. */
const gradientAt = (theta: number[]) => [4 * theta[0], theta[1] - 1];

/** Some steps of an optimizer down the bowl. */
function descend(optimizer: Optimizer, steps: number): number[] {
  let theta = [1, -2];
  let slots: Slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, tf.zeros<tf.Rank.R1>([2])]));
  for (let step = 1; step <= steps; step++) {
    const next = optimizer.update({
      weights: tf.tensor1d(theta),
      gradient: tf.tensor1d(gradientAt(theta)),
      slots,
      learningRate,
      decay: tf.tensor1d(decay),
      step,
    });
    theta = [...next.weights.dataSync()];
    slots = next.slots;
  }
  return theta;
}

describe("sgd", () => {
  it.each([
    [0, false],
    [0.9, false],
    [0.9, true],
  ])("follows its formula with momentum %s, Nesterov %s", (momentum, nesterov) => {
    let theta = [1, -2];
    let v = [0, 0];
    for (let step = 0; step < 5; step++) {
      const g = gradientAt(theta).map((x, i) => x + decay[i] * theta[i]);
      v = v.map((x, i) => momentum * x + g[i]);
      theta = theta.map((x, i) => x - learningRate * (nesterov ? g[i] + momentum * v[i] : v[i]));
    }
    const ours = descend(sgd({ momentum, nesterov }), 5);
    for (const i of [0, 1]) expect(ours[i]).toBeCloseTo(theta[i], 5);
  });
});

describe("adam", () => {
  it.each([false, true])("follows its formula, decoupled decay %s", (decoupled) => {
    let theta = [1, -2];
    const [m, v] = [
      [0, 0],
      [0, 0],
    ];
    for (let t = 1; t <= 5; t++) {
      const g = gradientAt(theta).map((x, i) => x + (decoupled ? 0 : decay[i] * theta[i]));
      theta = theta.map((x, i) => {
        m[i] = 0.9 * m[i] + 0.1 * g[i];
        v[i] = 0.999 * v[i] + 0.001 * g[i] ** 2;
        const step = m[i] / (1 - 0.9 ** t) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
        return x - learningRate * (step + (decoupled ? decay[i] * x : 0));
      });
    }
    const ours = descend(adam({ decoupled }), 5);
    for (const i of [0, 1]) expect(ours[i]).toBeCloseTo(theta[i], 4);
  });
});
