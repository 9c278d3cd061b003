import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { registerWasmKernels } from "../kernels/wasm/index.ts";
import { checkGradients } from "../testing/gradcheck.ts";
import { gradientPenalty } from "./gradient-penalty.ts";

registerWasmKernels();

it.each(["cpu", "wasm"])("reaches every weight of three critics, right, on %s", async (backend) => {
  await tf.setBackend(backend);
  let critics = 0;
  for await (const { reason } of checkGradients({ backend, ops: ["GradientPenalty"] })) {
    expect(reason).toBeUndefined();
    critics++;
  }
  expect(critics).toBe(3);
});

it("is found to be wrong where the gradient of a backward pass is", async () => {
  const right = tf.getGradient(tf.Conv2DBackpropInput);
  const replaceBy = (gradient: tf.GradConfig) => {
    tf.unregisterGradient(tf.Conv2DBackpropInput);
    tf.registerGradient(gradient);
  };
  replaceBy({
    ...right,
    gradFunc: (...given) => {
      const { dy, filter } = right.gradFunc(...given);
      return { dy, filter: () => tf.mul(filter(), 1.01) };
    },
  });
  const reasons: (string | undefined)[] = [];
  for await (const { reason } of checkGradients({ backend: "cpu", ops: ["GradientPenalty"] })) reasons.push(reason);
  replaceBy(right);
  expect(reasons).toEqual([
    expect.stringMatching(/^\d\.filter is off by \d\.\de-3$/),
    expect.stringMatching(/^\d\.filter is off by \d\.\de-3$/),
    undefined,
  ]);
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
