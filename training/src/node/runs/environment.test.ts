import { describe, expect, it } from "vitest";
import { collectEnvironment, environmentDifferences } from "./environment.ts";

describe("collectEnvironment", () => {
  it("knows this process, and takes the caller's word", () => {
    const environment = collectEnvironment({ backend: "wasm", threads: 2 });
    expect(environment).toMatchObject({ node: process.versions.node, backend: "wasm", threads: 2, tensorflow: null });
    expect(environment.memoryBytes).toBeGreaterThan(1e8);
    expect(new Date(environment.date).getTime()).toBeGreaterThan(0);
    const [program, script] = environment.commandLine.split(" ");
    expect(`${program} ${script}`).not.toMatch(/[/\\]/);
  });
});

describe("environmentDifferences", () => {
  it("names what decides the last bits, and nothing else", () => {
    const before = collectEnvironment({ threads: 2 });
    expect(environmentDifferences(before, { ...before, date: "later", commandLine: "other" })).toEqual([]);
    expect(environmentDifferences({ ...before, cpu: "A" }, { ...before, cpu: "B", threads: 4 })).toEqual([
      "cpu: A before, B now",
      "threads: 2 before, 4 now",
    ]);
  });
});
