import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { bf16Ops, registerTensorflowKernels, toBf16 } from "@tfjs-zoo/models/kernels/tensorflow";
import { checkGradients, type GradientCheck, gradcheckTable } from "@tfjs-zoo/models/testing";
import { startBackend } from "@tfjs-zoo/training/node";
import { describe, expect, it } from "vitest";

/** The package `models` checks its ops on cpu and wasm; the native backend starts from here. */
const started = await startBackend("tensorflow", { setup: false }).catch(() => undefined);

it("every op agrees with both oracles on the native backend", async ({ skip }) => {
  if (started === undefined) skip();
  const checks: GradientCheck[] = [];
  for await (const check of checkGradients({ backend: "tensorflow" })) checks.push(check);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(gradcheckTable(checks).length).toBeGreaterThan(30);
});

const inBf16 = started?.inBf16;

describe.skipIf(inBf16 === undefined)("in bf16", () => {
  const bf16 = { inBf16: inBf16 as NonNullable<typeof inBf16>, toBf16, ops: bf16Ops };

  it("every op that has kernels for it agrees with float64, and leaks nothing", async () => {
    const checks: GradientCheck[] = [];
    for await (const check of checkGradients({ backend: "tensorflow", bf16 })) checks.push(check);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(gradcheckTable(checks).map(({ op }) => op)).toEqual([...bf16Ops]);
    // It is bf16 indeed: float32 would be within 1e-5.
    const conv = checks.filter(({ op }) => op === "Conv2D");
    expect(Math.max(...conv.map(({ maxError }) => maxError))).toBeGreaterThan(1e-3);
  });

  it("a wrong gradient is found", async () => {
    const mutate = { op: "Conv2D", gradient: "x", factor: 1.1 };
    for await (const { ok } of checkGradients({ backend: "tensorflow", ops: ["Conv2D"], bf16, mutate })) {
      if (!ok) return;
    }
    expect.unreachable("every check said ok");
  });

  it("other ops and reading see float32", async () => {
    await tf.setBackend("tensorflow");
    const before = tf.memory().numTensors;
    const x = tf.tensor1d([1, -2.5, Math.PI, 1 + 2 ** -12]);
    const half = toBf16(x);
    expect([...half.dataSync()]).toEqual([1, -2.5, 3.140625, 1]);
    const twice = tf.tidy(() => tf.mul(half, 2));
    expect((await twice.data())[1]).toBe(-5);
    const sum = tf.tidy(() => tf.add(half, x));
    expect((await sum.data())[3]).toBeCloseTo(2 + 2 ** -12, 6);
    tf.dispose([x, half, twice, sum]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

it("the ops that TensorFlow's own kernels serve where the zoo's can't be had agree with both oracles", async ({
  skip,
}) => {
  if (started === undefined) skip();
  registerTensorflowKernels(); // to the end: no test after this one has the zoo's
  const checks: GradientCheck[] = [];
  for await (const check of checkGradients({
    ...{ backend: "tensorflow", ops: ["BatchNormTraining", "Conv2D", "Dense", "Relu"], order: 1 },
  }))
    checks.push(check);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
});
