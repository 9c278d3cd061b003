import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { startBackend } from "../node/backends/index.ts";
import { stockStep } from "./stock-step.ts";
import { ourWorkload } from "./workload.ts";

// With our kernels in place stock models train on wasm too, and the quickest.
beforeAll(async () => {
  await startBackend("wasm");
});

describe.each([
  ["resnet20", 269_722],
  ["lenet5", 61_706],
])("stock %s", (name, params) => {
  it("learns what ours does, batch norms in training mode, and leaks nothing", async () => {
    const { step: ours } = ourWorkload(name, 4);
    const stock = stockStep(name, 4);
    expect(stock.params).toBe(params);
    const [first, second] = [await stock.step(), await stock.step()];
    // The same first weights, images and labels: the losses can only differ by rounding, and later by weight decay.
    expect(Math.abs(first - (await ours()))).toBeLessThan(1e-4 * first);
    expect(Math.abs(second - (await ours()))).toBeLessThan(1e-2 * second);
    expect(second).toBeLessThan(first);

    const before = tf.memory().numTensors;
    await stock.step();
    expect(tf.memory().numTensors).toBe(before);
  });
});
