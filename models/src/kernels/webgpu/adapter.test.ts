import { describe, expect, it } from "vitest";
import { adapterText, deviceText, isSoftwareAdapter, isSoftwareDevice } from "./adapter.ts";

describe("isSoftwareAdapter", () => {
  it.each([
    [{ vendor: "google", architecture: "swiftshader", description: "SwiftShader driver 5.0.0" }, true],
    [{ vendor: "mesa", architecture: "", description: "llvmpipe (LLVM 15.0.6, 256 bits)" }, true],
    [{ vendor: "microsoft", description: "Microsoft Basic Render Driver" }, true],
    [{ vendor: "nvidia", isFallbackAdapter: true }, true],
    [{ vendor: "nvidia", architecture: "hopper", description: "NVIDIA H200" }, false],
    [{ vendor: "intel", architecture: "xe", description: "" }, false],
    [{}, false],
  ])("%j: %s", (info, software) => {
    expect(isSoftwareAdapter(info)).toBe(software);
  });
});

describe("adapterText", () => {
  it("prefers the description", () => {
    expect(adapterText({ vendor: "nvidia", description: "NVIDIA H200" })).toBe("NVIDIA H200");
    expect(adapterText({ vendor: "intel", architecture: "xe" })).toBe("intel xe");
    expect(adapterText({})).toBe("unnamed adapter");
  });
});

describe("deviceText", () => {
  it("tells a graphics card from what stands in for one", () => {
    const [card, none] = [{ description: "NVIDIA H200" }, { vendor: "google", architecture: "swiftshader" }];
    expect(deviceText(card)).toBe("NVIDIA H200");
    expect(deviceText(none)).toBe("google swiftshader, a software adapter");
    expect([card, none].map((info) => isSoftwareDevice(deviceText(info)))).toEqual([false, true]);
  });
});
