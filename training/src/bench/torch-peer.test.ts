import { describe, expect, it, vi } from "vitest";

describe("the Python of PyTorch", () => {
  it("is the one that is named, or the standard one, or tells how to install it", async () => {
    vi.stubEnv("XDG_CACHE_HOME", "/nowhere");
    vi.resetModules();
    const { peerPython } = await import("./torch-peer.ts");
    expect(peerPython("python3")).toBe("python3");
    expect(peerPython(process.execPath)).toBe(process.execPath);
    expect(() => peerPython()).toThrow(/^no PyTorch to compare with: install it once \(.*torch==2\.13\.0 numpy\)/);
    vi.unstubAllEnvs();
  });
});
