import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createModel, findModel, registry } from "./index.ts";
import { registerWasmKernels } from "./kernels/wasm/index.ts";
import { modelChecks } from "./testing/model-checks.ts";

beforeAll(async () => {
  registerWasmKernels();
  await tf.setBackend("wasm");
});

describe.each([...registry.values()])("$name", (entry) => {
  it.each(modelChecks)("$name", async ({ run }) => {
    expect(await run(entry)).toEqual([]);
  });
});

describe("findModel", () => {
  it("names the nearest model", () => {
    expect(() => findModel("resnet21")).toThrow(/^unknown model "resnet21": did you mean "resnet20"\? \(known: .*\)$/);
    expect(() => createModel("lenet")).toThrow(/did you mean "lenet5"/);
  });
});

describe("createModel", () => {
  it("takes classes and an input shape", () => {
    const model = createModel("resnet20", { classes: 100, inputShape: [16, 16, 3] });
    expect(model.inputs[0].shape).toEqual([null, 16, 16, 3]);
    expect(model.outputs[0].shape).toEqual([null, 100]);
    model.dispose();
  });
});
