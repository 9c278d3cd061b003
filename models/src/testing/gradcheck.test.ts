import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { registerWasmKernels } from "../kernels/wasm/index.ts";
import { cases, casesOf } from "./cases.ts";
import {
  allOps,
  checkGradients,
  type GradcheckOptions,
  type GradientCheck,
  gradcheckExceptions,
  gradcheckTable,
  secondOrderThrows,
} from "./gradcheck.ts";
import { stock } from "./stock.ts";
import { textbook } from "./textbook/index.ts";

beforeAll(async () => {
  registerWasmKernels();
  await tf.setBackend("cpu");
});

async function check(options: GradcheckOptions): Promise<GradientCheck[]> {
  const checks: GradientCheck[] = [];
  for await (const result of checkGradients(options)) checks.push(result);
  return checks;
}

const failures = (checks: GradientCheck[]): string[] =>
  checks
    .filter(({ ok }) => !ok)
    .map(({ op, oracle, order, case: name, reason }) => [op, oracle, order, name, reason].join(", "));

describe.each(Object.keys(allOps))("%s", (op) => {
  it("has a textbook, a stock form and cases with names of their own", () => {
    expect(textbook[op]).toBeDefined();
    expect(stock[op]).toBeDefined();
    expect(cases[op]).toBeDefined();
    const names = casesOf(op, 1).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(2);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(["cpu", "wasm"])("agrees with both oracles on %s", async (backend) => {
    const checks = await check({ backend, ops: [op] });
    expect(failures(checks)).toEqual([]);
    expect(new Set(checks.map(({ oracle }) => oracle))).toEqual(new Set(["float64", "stock"]));
  });

  it.each(allOps[op].gradients)("fails when the gradient of %s is off by one per cent", async (gradient) => {
    const checks = await check({ backend: "cpu", ops: [op], order: 1, mutate: { op, gradient, factor: 1.01 } });
    const first = gradcheckTable(checks);
    expect(first.map(({ oracle, ok }) => [oracle, ok])).toEqual([
      ["float64", false],
      ["stock", false],
    ]);
    for (const { maxError } of first) expect(maxError).toBeCloseTo(0.01, 3);
  });
});

describe("checkGradients", () => {
  const replaced: { kernelName: string; original?: tf.KernelConfig }[] = [];

  /** Puts a wrong kernel in the place of a right one on `cpu`, until the test ends. */
  function replaceKernel(kernelName: string, wrong: (right: tf.KernelFunc) => tf.KernelFunc): void {
    const original = tf.getKernel(kernelName, "cpu");
    if (original !== undefined) tf.unregisterKernel(kernelName, "cpu");
    const right = original?.kernelFunc ?? (() => []);
    tf.registerKernel({ kernelName, backendName: "cpu", kernelFunc: wrong(right) });
    replaced.push({ kernelName, original });
  }

  afterEach(() => {
    for (const { kernelName, original } of replaced.splice(0)) {
      tf.unregisterKernel(kernelName, "cpu");
      if (original !== undefined) tf.registerKernel(original);
    }
  });

  it("finds a backward kernel with the wrong sign", async () => {
    replaceKernel("ZooReluGrad", () => ({ inputs }) => {
      const { dy, y } = inputs as { dy: tf.Tensor; y: tf.Tensor };
      return tf.tidy(() => [tf.neg(tf.mul(dy, tf.step(y)))]);
    });
    const rows = gradcheckTable(await check({ backend: "cpu", ops: ["Relu"] }));
    expect(rows.find(({ oracle, order }) => oracle === "float64" && order === 1)).toMatchObject({
      op: "Relu",
      ok: false,
    });
  });

  it("finds a filter gradient that is transposed", async () => {
    replaceKernel("Conv2DBackpropFilter", (right) => (call) => {
      const gradient = tf.engine().makeTensorFromTensorInfo(right(call) as tf.TensorInfo) as tf.Tensor4D;
      const [height, width] = gradient.shape;
      return height === width ? tf.transpose(gradient, [1, 0, 2, 3]) : gradient;
    });
    const checks = await check({ backend: "cpu", ops: ["Conv2D"] });
    expect(failures(checks).some((line) => line.includes("gradient of filter"))).toBe(true);
  });

  it("finds tensors that a kernel leaves behind", async () => {
    replaceKernel("ZooReluGrad", () => ({ inputs }) => {
      const { dy, y } = inputs as { dy: tf.Tensor; y: tf.Tensor };
      tf.keep(tf.scalar(1));
      return tf.tidy(() => [tf.mul(dy, tf.step(y))]);
    });
    const [first] = await check({ backend: "cpu", ops: ["Relu"] });
    expect(first).toMatchObject({ ok: false, reason: "left 1 tensor(s) behind" });
  });

  it("reports an op that throws and goes on", async () => {
    replaceKernel("ZooReluGrad", () => () => {
      throw new Error("no such kernel\nat length");
    });
    const checks = await check({ backend: "cpu", ops: ["Relu", "Add"] });
    expect(checks[0]).toMatchObject({ op: "Relu", ok: false, reason: "no such kernel" });
    expect(checks.filter(({ op }) => op === "Add").every(({ ok }) => ok)).toBe(true);
  });

  it("leaves the backend in use as it was", async () => {
    await check({ backend: "wasm", ops: ["Add"] });
    expect(tf.getBackend()).toBe("cpu");
  });

  it("refuses an unknown op or backend in one line", async () => {
    await expect(check({ backend: "cpu", ops: ["Ad"] })).rejects.toThrow(
      /^unknown op "Ad"; expected one of AbsoluteError, Add, .*$/,
    );
    await expect(check({ backend: "abacus" })).rejects.toThrow(/^.*"abacus", which is not registered.*$/);
  });
});

describe("gradcheckTable", () => {
  const result: GradientCheck = {
    op: "Add",
    backend: "cpu",
    oracle: "float64",
    order: 1,
    case: "a",
    maxError: 1e-6,
    tolerance: 1e-4,
    ok: true,
  };

  it("has the worst case of each op, backend, oracle and order", () => {
    const rows = gradcheckTable([
      result,
      { ...result, case: "b", maxError: 1e-3, ok: false, reason: "off" },
      { ...result, order: 2 },
    ]);
    const { case: _, ...row } = result;
    expect(rows).toEqual([
      { ...row, maxError: 1e-3, ok: false },
      { ...row, order: 2 },
    ]);
  });
});

describe("gradcheckExceptions", () => {
  const second = gradcheckExceptions().filter(({ order }) => order === 2);

  it.each(second)("$op: $what is refused loudly", async ({ op, what }) => {
    expect(await secondOrderThrows(op, what.replace("gradient of ∂L/∂", ""))).toBe(true);
  });

  it("names what stock can't differentiate", () => {
    const first = gradcheckExceptions().filter(({ order }) => order === 1);
    expect(first.map(({ op }) => op)).toEqual(["Conv2D", "DepthwiseConv2D"]);
  });
});

describe("an op", () => {
  it("takes the same tensor twice", () => {
    const x = tf.tensor1d([1, -2]);
    const gradient = tf.grad((value) => allOps.Add({ a: value, b: value }))(x);
    expect(Array.from(gradient.dataSync())).toEqual([2, 2]);
    tf.dispose([x, gradient]);
  });
});
