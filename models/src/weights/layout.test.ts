import { describe, expect, it } from "vitest";
import { fromTorch, layoutOf, torchShape, toTorch } from "./layout.ts";

const values = (n: number) => Float32Array.from({ length: n }, (_, i) => i);

describe("layouts", () => {
  it("puts a convolution's [kh, kw, in, out] as [out, in, kh, kw]", () => {
    const layout = layoutOf("ZooConv2D", "weight", [3, 2, 4, 5]);
    expect(torchShape([3, 2, 4, 5], layout)).toEqual([5, 4, 3, 2]);
    const ours = values(120);
    const torch = toTorch(ours, [3, 2, 4, 5], layout);
    for (const [h, w, i, o] of [
      [2, 1, 3, 4],
      [0, 1, 2, 3],
      [1, 0, 0, 2],
    ])
      expect(torch[((o * 4 + i) * 3 + h) * 2 + w]).toBe(ours[((h * 2 + w) * 4 + i) * 5 + o]);
  });

  it("merges a depthwise convolution's channels and multiplier", () => {
    const layout = layoutOf("ZooDepthwiseConv2D", "weight", [3, 2, 4, 5]);
    expect(torchShape([3, 2, 4, 5], layout)).toEqual([20, 1, 3, 2]);
    const ours = values(120);
    const torch = toTorch(ours, [3, 2, 4, 5], layout);
    expect(torch[((3 * 5 + 2) * 3 + 1) * 2 + 1]).toBe(ours[((1 * 2 + 1) * 4 + 3) * 5 + 2]);
  });

  it.each([
    ["ZooConv2D", "weight", [3, 2, 4, 5]],
    ["ZooConvTranspose2D", "weight", [3, 2, 4, 5]],
    ["ZooDepthwiseConv2D", "weight", [3, 2, 4, 5]],
    ["ZooSpectralConv2D", "weight_v", [4, 5, 6]],
    ["ZooDense", "weight", [8, 15]],
    ["ZooDense", "bias", [120]],
    ["ZooLstm", "weight_hh_l1_reverse", [5, 24]],
  ])("comes back: %s %s %j", (className, weight, shape) => {
    const layout = layoutOf(className, weight, shape);
    const torch = toTorch(values(120), shape, layout);
    expect(fromTorch(torch, shape, layout)).toEqual(values(120));
    if (shape.length > 1) expect(torch).not.toEqual(values(120));
  });

  it("refuses a weight of several axes that no rule covers", () => {
    expect(() => layoutOf("ZooNew", "weight", [2, 2])).toThrow(/no rule .* ZooNew/);
    expect(() => layoutOf("toString", "name", [2, 2])).toThrow(/no rule/);
  });
});
