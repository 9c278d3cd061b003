import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { benchMemory } from "./bench-memory.ts";
import { benchSpeed } from "./bench-speed.ts";

let folder: string;
let others: number;
beforeAll(async () => {
  others = await children(); // the test runner may have some of its own
  folder = await mkdtemp(join(tmpdir(), "zoo-bench-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A stand-in for PyTorch: Node is its Python, and it says that every step took a millisecond. */
async function fakeTorch(onRound = "say({ step_ms: Array(Number(line)).fill(1) })", params = 61_706) {
  const script = join(folder, `${Math.random()}.cjs`);
  await writeFile(
    script,
    `const say = (line) => console.log(JSON.stringify(line));
     const flag = (name) => process.argv[process.argv.indexOf(name) + 1];
     say({ ready: { params: ${params}, batch: Number(flag("--batch")), threads: Number(flag("--threads")),
                    versions: { torch: flag("--model") + " " + flag("--precision") } } });
     require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => { ${onRound} });`,
  );
  return { script, python: process.execPath };
}

/** How many processes this one has started that have not ended. */
async function children(): Promise<number> {
  await pause(50); // an ended one is counted until its handle has been closed
  return process.getActiveResourcesInfo().filter((resource) => resource === "ProcessWrap").length;
}

describe("bench train", () => {
  it("measures ours, stock and PyTorch in one run", async () => {
    const result = await benchSpeed({
      model: "lenet5",
      backend: "cpu",
      batch: 2,
      steps: 2,
      peers: ["stock", "torch"],
      torch: await fakeTorch(),
    });
    expect(result).toMatchObject({ model: "lenet5", backend: "cpu", precision: "f32", batch: 2 });
    expect(result.ours.steps).toBeGreaterThanOrEqual(2);
    expect(result.ours.items_per_s).toBeCloseTo(2000 / result.ours.step_ms, 0);
    const { stock, torch } = result.peers;
    expect(stock?.ratio).toBeCloseTo((stock?.step_ms ?? 0) / result.ours.step_ms, 2);
    expect(torch).toEqual({
      items_per_s: 2000,
      step_ms: 1,
      spread_ms: [1, 1],
      steps: 300, // so many take a turn's least time
      ratio: Number((1 / result.ours.step_ms).toFixed(3)),
    });
    expect(result.environment.versions).toMatchObject({ torch: { torch: "lenet5 f32" }, stock: { cpu: "4.22.0" } });
    expect(await children()).toBe(others);
  });

  it("says what wasm can't be compared with", async () => {
    const result = await benchSpeed({ model: "lenet5", backend: "wasm", steps: 1, peers: ["stock"] });
    expect(result.batch).toBe(32);
    expect(result.peers).toEqual({});
    expect(result.notes[0]).toMatch(/^stock: .*can't train a convolution$/);
  });

  it("ends all when one crashes", async () => {
    const torch = await fakeTorch('throw new Error("out of memory")');
    const running = benchSpeed({ model: "lenet5", backend: "cpu", batch: 2, peers: ["torch"], torch });
    await expect(running).rejects.toThrow(/^torch: ended with status 1: Error: out of memory$/);
    expect(await children()).toBe(others);
  });

  it("does not compare with another network", async () => {
    const torch = await fakeTorch("", 7);
    const running = benchSpeed({ model: "lenet5", backend: "cpu", batch: 2, peers: ["torch"], torch });
    await expect(running).rejects.toThrow("torch trains 7 parameters, lenet5 has 61706: not the same");
    expect(await children()).toBe(others);
  });

  const wrong: [string, Parameters<typeof benchSpeed>[0], RegExp][] = [
    ["model", { model: "resnet21" }, /^unknown model "resnet21": did you mean "resnet20"/],
    ["backend", { model: "lenet5", backend: "wsm" }, /^unknown backend "wsm": did you mean "wasm"/],
    ["precision", { model: "lenet5", precision: "f23" }, /^unknown precision "f23": did you mean "f32"/],
    ["precision for a backend", { model: "lenet5", precision: "bf16", backend: "cpu" }, /cpu here can not: give f32$/],
    ["peer", { model: "lenet5", peers: ["pytorch"] }, /^unknown peer "pytorch": did you mean "torch"/],
    ["batch", { model: "lenet5", batch: 0 }, /^--batch 0: give a whole number/],
    ["steps", { model: "lenet5", steps: 1.5 }, /^--steps 1.5: give a whole number/],
    ["script", { model: "lenet5", peers: ["torch"], torch: { script: "no.py" } }, /^no PyTorch script at no.py/],
    [
      "Python",
      { model: "lenet5", peers: ["torch"], torch: { script: import.meta.filename, python: "./no/python" } },
      /^--python \.\/no\/python: there is no such file$/,
    ],
  ];
  it.each(wrong)("refuses a wrong %s in one line", async (_, options, message) => {
    await expect(benchSpeed(options)).rejects.toMatchObject({ name: "InputError", message });
  });
});

describe("bench memory", () => {
  it("finds no tensor more, and looks at resident memory ten times", async () => {
    const result = await benchMemory({ model: "lenet5", backend: "wasm", batch: 2, steps: 20 });
    expect(result).toMatchObject({ model: "lenet5", backend: "wasm", batch: 2, steps: 20 });
    expect(result.num_tensors_20).toBe(result.num_tensors_10);
    expect(result.rss_mb).toHaveLength(10);
  });

  it.each([
    [{ model: "lenet" }, /^unknown model "lenet": did you mean "lenet5"/],
    [{ model: "lenet5", steps: 10 }, /^--steps 10: give a whole number above 10$/],
    [{ model: "lenet5", backend: "gpu" }, /^unknown backend "gpu"/],
    [{ model: "lenet5", backend: "wasm", batch: 0.5 }, /^--batch 0.5: give a whole number/],
  ])("refuses %j in one line", async (options, message) => {
    await expect(benchMemory(options)).rejects.toMatchObject({ name: "InputError", message });
  });
});
