import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { randomStream } from "@tfjs-zoo/models";
import { beforeAll, describe, expect, it } from "vitest";
import { adam } from "./adam.ts";
import { muon, orthogonalised } from "./muon.ts";
import type { Optimizer, Slots } from "./optimizer.ts";
import { sgd } from "./sgd.ts";

beforeAll(() => tf.setBackend("cpu"));

const decay = 0.01;
const learningRate = 0.1;
/** A quadratic bowl with another curvature along each axis. */
const gradientAt = (theta: number[]) => [4 * theta[0], theta[1] - 1];

/** Some steps of an optimizer down the bowl. */
function descend(optimizer: Optimizer, steps: number): number[] {
  let theta = [1, -2];
  let slots: Slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, tf.zeros<tf.Rank.R1>([2])]));
  for (let step = 1; step <= steps; step++) {
    const next = optimizer.update({
      // Two weights, whose gradients are half of what they should be and are doubled.
      weights: theta.map((x) => tf.tensor2d([x], [1, 1])),
      gradients: gradientAt(theta).map((g) => tf.tensor2d([g / 2], [1, 1])),
      scale: 2,
      slots,
      learningRate,
      decay,
      step,
    });
    theta = next.weights.map((weight) => weight.dataSync()[0]);
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
      const g = gradientAt(theta).map((x, i) => x + decay * theta[i]);
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
      const g = gradientAt(theta).map((x, i) => x + (decoupled ? 0 : decay * theta[i]));
      theta = theta.map((x, i) => {
        m[i] = 0.9 * m[i] + 0.1 * g[i];
        v[i] = 0.999 * v[i] + 0.001 * g[i] ** 2;
        const step = m[i] / (1 - 0.9 ** t) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
        return x - learningRate * (step + (decoupled ? decay * x : 0));
      });
    }
    const ours = descend(adam({ decoupled }), 5);
    for (const i of [0, 1]) expect(ours[i]).toBeCloseTo(theta[i], 4);
  });
});

/** A matrix of normal numbers. */
function noise(rows: number, columns: number): tf.Tensor2D {
  const random = randomStream("muon", rows, columns);
  return tf.tensor2d(
    Float32Array.from({ length: rows * columns }, () => random.normal()),
    [rows, columns],
  );
}

describe("muon", () => {
  it.each([
    [12, 5],
    [5, 12],
    [7, 7],
  ])("comes near U Vᵀ for a matrix of %i rows and %i columns", (rows, columns) => {
    // M = Q s for an orthonormal Q from Gram and Schmidt: its U Vᵀ is Q.
    const tall = noise(Math.max(rows, columns), Math.min(rows, columns));
    const q = tf.transpose(tf.linalg.gramSchmidt(tf.transpose(tall) as tf.Tensor2D) as tf.Tensor2D) as tf.Tensor2D;
    const stretch = tf.linspace(1, 2, Math.min(rows, columns));
    const wide = rows < columns;
    const m = tf.mul(q, stretch) as tf.Tensor2D;
    const near = orthogonalised(wide ? (tf.transpose(m) as tf.Tensor2D) : m, 3);
    const upright = (wide ? tf.transpose(near) : near) as tf.Tensor2D;
    // Qᵀ of the result is diagonal, and its diagonal the singular values.
    const s = tf.matMul(q, upright, true).arraySync() as number[][];
    for (const [i, row] of s.entries()) {
      for (const [j, value] of row.entries()) {
        if (i !== j) expect(Math.abs(value)).toBeLessThan(1e-4);
        else expect(value).toBeGreaterThan(0.65);
        if (i === j) expect(value).toBeLessThan(1.25);
      }
    }
  });

  it("raises small singular values, and after five iterations those above a hundredth are near 1", () => {
    const tall = noise(12, 4);
    const q = tf.transpose(tf.linalg.gramSchmidt(tf.transpose(tall) as tf.Tensor2D) as tf.Tensor2D);
    const m = tf.mul(q, tf.tensor1d([1, 0.3, 0.05, 0.015])) as tf.Tensor2D;
    const values = (iterations: number) => {
      const s = tf.matMul(q as tf.Tensor2D, orthogonalised(m, iterations), true).arraySync() as number[][];
      return s.map((row, i) => row[i]);
    };
    for (const value of values(5)) expect(Math.abs(value - 0.95)).toBeLessThan(0.3);
    expect(values(3)[3]).toBeLessThan(0.7);
    expect(values(3)[3]).toBeGreaterThan(0.3);
  });

  it("turns a filter by the learning rate and keeps its norm", () => {
    const shapes = [
      [2, 2, 3, 6],
      [1, 1, 4, 2],
    ];
    const [a, b] = [noise(12, 6), noise(4, 2)];
    const weights = [a, b].map((weight, i) => tf.reshape(weight, shapes[i]));
    const gradients = weights.map((weight) => tf.reverse(weight));
    const slots = { momentum: tf.zeros<tf.Rank.R1>([80]) };
    const next = muon().update({ weights, gradients, scale: 1, slots, learningRate: 0.01, decay: 0, step: 1 });
    const [first, second] = next.weights;
    const u = tf.mul(gradients[0], 1.6); // g + μ v, v = g
    const expected = tf.sub(
      tf.mul(a, tf.div(Math.sqrt(6), tf.norm(a))),
      tf.mul(orthogonalised(tf.reshape(u, [12, 6]), 3), 0.01),
    );
    const difference = tf.max(tf.abs(tf.sub(tf.reshape(first, [12, 6]), expected))).arraySync();
    expect(difference).toBeLessThan(1e-6);
    expect(tf.norm(second).arraySync()).toBeCloseTo(Math.sqrt(2), 1);
    expect([...next.slots.momentum.dataSync()]).toEqual(gradients.flatMap((g) => [...g.dataSync()]));
  });
});
