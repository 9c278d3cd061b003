import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { registerWasmKernels } from "../kernels/wasm/index.ts";
import { TOLERANCE } from "../testing/gradcheck.ts";
import { checkPenalties } from "../testing/penalty-check.ts";
import { gradientPenalty } from "./gradient-penalty.ts";

registerWasmKernels();

it.each(["cpu", "wasm"])("reaches every weight of a critic, right, on %s", async (backend) => {
  await tf.setBackend(backend);
  for (const { critic, errors, left } of await checkPenalties()) {
    expect(
      Object.entries(errors).filter(([, error]) => !(error <= TOLERANCE)),
      critic,
    ).toEqual([]);
    expect(Object.keys(errors).length, critic).toBeGreaterThan(6);
    expect(left, critic).toBe(0);
  }
});

it("is 0 where the slope is 1, and finite where a critic is flat", async () => {
  await tf.setBackend("cpu");
  const x = tf.tensor2d([
    [1, 2],
    [3, 4],
  ]);
  const penalty = (critic: (x: tf.Tensor) => tf.Tensor) => tf.tidy(() => gradientPenalty(critic, x).dataSync()[0]);
  expect(penalty((at) => tf.sum(tf.mul(at, [0.6, 0.8]), 1))).toBeCloseTo(0, 6);
  const gradient = tf.tidy(() => tf.grad((w) => gradientPenalty((at) => tf.sum(tf.mul(at, w), 1), x))(tf.zeros([2])));
  expect(Array.from(gradient.dataSync()).every(Number.isFinite)).toBe(true);
  tf.dispose([x, gradient]);
});
