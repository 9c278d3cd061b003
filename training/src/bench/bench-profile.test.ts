import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { benchProfile } from "./bench-profile.ts";
import { askKernels, timeKernels } from "./kernel-times.ts";

describe("bench train --profile", () => {
  it("accounts for the whole step", async () => {
    const { ops, step_ms } = await benchProfile({ model: "lenet5", backend: "cpu", batch: 2, steps: 2 });
    expect(ops.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(step_ms, 6);
    expect(ops.find(({ op }) => op === "Conv2D")?.calls).toBe(2);
    expect(ops.every(({ ms, op }) => ms >= 0 || op === "(JavaScript)")).toBe(true);
  });

  it("refuses numbers that are none", async () => {
    await expect(benchProfile({ model: "lenet5", backend: "cpu", steps: 0 })).rejects.toThrow("--steps 0");
  });
});

describe("askKernels", () => {
  it("has the backend's own times of every call", async () => {
    await tf.setBackend("cpu");
    const timer = askKernels();
    const x = tf.tensor1d([1, 2]);
    for (let step = 0; step < 2; step++) await timer.around(async () => tf.square(x).dispose());
    x.dispose();
    const [{ op, calls, ms }] = timer.stop();
    expect({ op, calls }).toEqual({ op: "Square", calls: 2 });
    expect(ms).toBeGreaterThan(0);
  });
});

describe("timeKernels", () => {
  it("counts calls and leaves the kernels as they were", async () => {
    await tf.setBackend("cpu");
    const before = tf.getKernel("Square", "cpu")?.kernelFunc;
    const timer = timeKernels("cpu");
    const x = tf.tensor1d([1, 2]);
    tf.dispose([tf.square(x), tf.square(x), x]);
    expect(timer.stop().find(({ op }) => op === "Square")?.calls).toBe(2);
    expect(tf.getKernel("Square", "cpu")?.kernelFunc).toBe(before);
  });
});
