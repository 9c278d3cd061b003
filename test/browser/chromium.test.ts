import { describe, expect, it } from "vitest";
import { findChromium } from "../../apps/cli/src/browser/find-chromium.ts";
import { zoo } from "../cli/zoo.ts";

const chromium = (() => {
  try {
    return findChromium();
  } catch {
    return undefined;
  }
})();

/** Every op in the browser itself: its WebAssembly, and its WebGPU, which SwiftShader computes where there is no GPU. */
describe.skipIf(chromium === undefined)("in Chromium", () => {
  it.each(["wasm", "webgpu"])(
    "every op agrees with both oracles on %s",
    async (backend) => {
      const { code, stdout } = await zoo(["gradcheck", "--browser", "--backend", backend, "--json"]);
      const rows = JSON.parse(stdout) as { op: string; backend: string; ok: boolean }[];
      expect(rows.filter(({ ok }) => !ok)).toEqual([]);
      expect(rows.length).toBeGreaterThan(30);
      expect(rows[0].backend).toMatch(new RegExp(`^${backend} in .*Chrom`));
      expect(code).toBe(0);
    },
    // WebGPU without a graphics card compiles some thousand shaders on the processor.
    600_000,
  );

  it("trains a network as fast as it may beside Node", async () => {
    const flags = ["--backend", "wasm", "--peer", "chromium", "--batch", "2", "--steps", "2", "--json"];
    const { code, stdout } = await zoo(["bench", "train", "lenet5", ...flags]);
    const { peers, environment } = JSON.parse(stdout);
    expect(peers.chromium.items_per_s).toBeGreaterThan(0);
    expect(Object.keys(environment.versions.chromium).join()).toMatch(/Chrom/);
    expect(code).toBe(0);
  }, 120_000);
});

describe("without what it needs", () => {
  it.each([
    ["no Chromium", ["gradcheck", "--browser"], { CHROME_PATH: "", PATH: "/nowhere" }, "no Chromium here: install one"],
    ["a wrong path", ["gradcheck", "--browser"], { CHROME_PATH: "/nowhere" }, "CHROME_PATH is /nowhere"],
    ["a program that is no browser", ["gradcheck", "--browser"], { CHROME_PATH: "/bin/false" }, "ended with status 1"],
    [
      "a backend that no page has",
      ["bench", "train", "lenet5", "--backend", "cpu", "--peer", "chromium", "--batch", "1", "--steps", "1"],
      {},
      "--peer chromium needs --backend wasm or webgpu",
    ],
  ])("%s is one line", async (_, args, env, line) => {
    const { code, stderr } = await zoo(args, { env });
    expect(stderr).toContain(line);
    expect(stderr).not.toContain("    at ");
    expect(code).toBe(1);
  });
});
