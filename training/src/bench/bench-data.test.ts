import { describe, expect, it } from "vitest";
import { benchData } from "./bench-data.ts";
import { benchGrowth } from "./bench-growth.ts";

describe("bench data", () => {
  it("measures preparation and waiting", async () => {
    const result = await benchData({ model: "resnet20", backend: "wasm", steps: 1 });
    expect(result).toMatchObject({ model: "resnet20", backend: "wasm", precision: "f32", batch: 128 });
    expect(result.augmented_per_s).toBeGreaterThan(1000);
    expect(result.step_ms).toBeGreaterThan(result.wait_ms);
  }, 120_000);

  it.each([
    [{ model: "lenet5" }, "lenet5 takes 28x28x1: give a network for CIFAR"],
    [{ model: "resnet21" }, 'unknown model "resnet21"'],
    [{ model: "resnet20", steps: 0 }, "--steps 0"],
    [{ model: "resnet20", backend: "cpu", precision: "bf16" }, "cpu here can not: give f32"],
  ])("refuses %j in one line", async (options, line) => {
    await expect(benchData(options)).rejects.toThrow(line);
  });
});

describe("bench growth", () => {
  it.each([
    [{ backend: "gpu" }, 'unknown backend "gpu"'],
    [{ precision: "f23" }, 'unknown precision "f23"'],
    [{ backend: "cpu", precision: "bf16" }, "batch 8, depth 20, width 16: "],
  ])("refuses %j in one line", async (options, line) => {
    await expect(benchGrowth(options)).rejects.toThrow(line);
  });
});
