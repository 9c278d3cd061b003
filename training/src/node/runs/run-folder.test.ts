import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunConfig, RunFolder } from "./run-folder.ts";

const config: RunConfig = {
  model: "resnet20",
  dataset: "cifar10",
  recipeName: "quick",
  recipe: { epochs: 12 },
  seed: 0,
  backend: "tensorflow",
  precision: "f32",
  full: false,
};

let parent: string;
let dir: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "zoo-run-"));
  dir = join(parent, "run");
});

afterEach(() => {
  child?.kill("SIGKILL");
  child = undefined;
  rmSync(parent, { recursive: true, force: true });
});

/** Another process that makes the run, writes one record and stays until it is killed. */
async function runInChild(): Promise<ChildProcess> {
  const script = `
    const { RunFolder } = await import(${JSON.stringify(new URL("./run-folder.ts", import.meta.url).href)});
    const run = await RunFolder.create(${JSON.stringify(dir)}, ${JSON.stringify(config)});
    run.appendMetrics({ step: 1, loss: 2 });
    console.log("ready");
    setInterval(() => {}, 1000);`;
  child = spawn(
    process.execPath,
    ["--import", "tsx", "--conditions=tfjs-zoo-source", "--input-type=module", "-e", script],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const started = child;
  await new Promise<void>((resolve, reject) => {
    started.stdout?.once("data", () => resolve());
    started.once("exit", () => reject(new Error("the child ended early")));
  });
  return started;
}

const inputError = (message: RegExp) => ({ name: "InputError", message: expect.stringMatching(message) });

describe("RunFolder.create", () => {
  it("writes config.json and env.json, whole, with the lock", async () => {
    const run = await RunFolder.create(dir, config, { tensorflow: "2.21.0" });
    expect(readdirSync(parent)).toEqual(["run"]);
    expect(readdirSync(dir).sort()).toEqual(["checkpoints", "config.json", "env.json", "run.lock"]);
    expect(JSON.parse(readFileSync(join(dir, "config.json"), "utf8"))).toEqual({ ...config, formatVersion: 1 });
    expect(await run.readEnvironment()).toMatchObject({
      node: process.versions.node,
      tfjs: "4.22.0",
      backend: "tensorflow",
      tensorflow: "2.21.0",
      cores: expect.any(Number),
      commandLine: expect.stringContaining("node"),
    });
    expect(run.checkpointPath("last")).toBe(join(dir, "checkpoints", "last.safetensors"));
    await run.close();
    expect(existsSync(join(dir, "run.lock"))).toBe(false);
  });

  it("refuses a folder that exists, and leaves it as it was", async () => {
    await (await RunFolder.create(dir, config)).close();
    const before = readFileSync(join(dir, "config.json"), "utf8");
    const again = RunFolder.create(dir, { ...config, seed: 1 });
    await expect(again).rejects.toMatchObject(inputError(/exists already: choose another --run, or .* --resume /));
    expect(readFileSync(join(dir, "config.json"), "utf8")).toBe(before);
  });

  it("lets one of two that race for a name win", async () => {
    const outcomes = await Promise.allSettled([1, 2, 3].map((seed) => RunFolder.create(dir, { ...config, seed })));
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(readdirSync(parent)).toEqual(["run"]);
  });

  it("says when a parent is a file", async () => {
    writeFileSync(join(parent, "file"), "");
    await expect(RunFolder.create(join(parent, "file", "run"), config)).rejects.toMatchObject(inputError(/is a file/));
  });

  it("numbers runs that it names itself", async () => {
    const runs = await Promise.all([1, 2, 3].map(() => RunFolder.createNamed(parent, config)));
    const name = "resnet20-cifar10-quick-s0";
    expect(readdirSync(parent).sort()).toEqual([name, `${name}-2`, `${name}-3`]);
    for (const run of runs) await run.close();
  });
});

describe("RunFolder.open", () => {
  it("gives back the config", async () => {
    await (await RunFolder.create(dir, config)).close();
    const run = await RunFolder.open(dir, "read");
    expect(run.config).toEqual(config);
    expect(() => run.appendMetrics({ step: 1 })).toThrow(/opened to read/);
    expect(existsSync(join(dir, "run.lock"))).toBe(false);
  });

  it("refuses what is no run folder", async () => {
    await expect(RunFolder.open(parent, "read")).rejects.toMatchObject(inputError(/is not a run folder/));
    await (await RunFolder.create(dir, config)).close();
    await expect(RunFolder.open(join(parent, "rum"), "read")).rejects.toMatchObject(
      inputError(/There is no run folder .*rum: did you mean .*run\?$/),
    );
    writeFileSync(join(dir, "config.json"), '{"formatVersion": 1, "mod');
    await expect(RunFolder.open(dir, "resume")).rejects.toMatchObject(inputError(/config\.json is damaged/));
    writeFileSync(join(dir, "config.json"), '{"name": "some package"}');
    await expect(RunFolder.open(dir, "resume")).rejects.toMatchObject(inputError(/is not a run's/));
  });

  it("refuses a run of a newer version", async () => {
    await (await RunFolder.create(dir, config)).close();
    writeFileSync(join(dir, "config.json"), JSON.stringify({ ...config, formatVersion: 2 }));
    for (const mode of ["read", "resume"] as const) {
      await expect(RunFolder.open(dir, mode)).rejects.toMatchObject(
        inputError(/newer tfjs-zoo \(run format 2, .* 1\)/),
      );
    }
  });

  it("refuses a run that a living process holds, and takes it over once that is killed", async () => {
    const owner = await runInChild();
    const resume = () => RunFolder.open(dir, "resume");
    await expect(resume()).rejects.toMatchObject(inputError(new RegExp(`in use by process ${owner.pid}: `)));
    expect(await (await RunFolder.open(dir, "read")).readMetrics()).toEqual([{ step: 1, loss: 2 }]);

    const gone = new Promise((resolve) => owner.once("exit", resolve));
    owner.kill("SIGKILL");
    await gone;
    expect(existsSync(join(dir, "run.lock"))).toBe(true);
    const run = await resume();
    await expect(resume()).rejects.toMatchObject(inputError(/in use by this process/));
    await run.close();
    expect(readdirSync(dir).filter((name) => name.includes("lock"))).toEqual([]);
  });

  it("takes over the lock of a process whose pid went to another one", async () => {
    await (await RunFolder.create(dir, config)).close();
    const { host } = await lockOfThisProcess();
    writeFileSync(join(dir, "run.lock"), JSON.stringify({ pid: process.pid, startTime: "long ago", host }));
    await (await RunFolder.open(dir, "resume")).close();
    writeFileSync(join(dir, "run.lock"), "torn");
    await (await RunFolder.open(dir, "resume")).close();
    writeFileSync(join(dir, "run.lock"), JSON.stringify({ pid: 1, startTime: "1", host: "elsewhere" }));
    await expect(RunFolder.open(dir, "resume")).rejects.toMatchObject(inputError(/another machine \(elsewhere\)/));
  });

  it("lets one of several that race for a stale lock win", async () => {
    await (await RunFolder.create(dir, config)).close();
    writeFileSync(join(dir, "run.lock"), "torn");
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => RunFolder.open(dir, "resume")));
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  });

  it("removes what a save that was killed left", async () => {
    await (await RunFolder.create(dir, config)).close();
    writeFileSync(join(dir, "checkpoints", ".last.safetensors.0123456789ab.tmp"), "half");
    await (await RunFolder.open(dir, "resume")).close();
    expect(readdirSync(join(dir, "checkpoints"))).toEqual([]);
  });
});

describe("metrics", () => {
  it("come back in order, NaN included", async () => {
    const run = await RunFolder.create(dir, config);
    run.appendMetrics({ step: 1, loss: 2.5, phase: "train" });
    run.appendMetrics({ step: 2, loss: Number.NaN, norm: Number.POSITIVE_INFINITY });
    expect(await run.readMetrics()).toEqual([
      { step: 1, loss: 2.5, phase: "train" },
      { step: 2, loss: Number.NaN, norm: Number.POSITIVE_INFINITY },
    ]);
    await run.close();
  });

  it("lose later steps and a torn last line on resuming", async () => {
    const run = await RunFolder.create(dir, config);
    for (let step = 1; step <= 5; step++) run.appendMetrics({ step, loss: 1 / step });
    await run.close();
    appendFileSync(join(dir, "metrics.jsonl"), '{"step": 6, "lo');

    const reader = await RunFolder.open(dir, "read");
    expect((await reader.readMetrics()).map((record) => record.step)).toEqual([1, 2, 3, 4, 5]);

    const resumed = await RunFolder.open(dir, "resume");
    await resumed.truncateMetrics(3);
    resumed.appendMetrics({ step: 4, loss: 0 });
    expect((await resumed.readMetrics()).map((record) => record.step)).toEqual([1, 2, 3, 4]);
    await resumed.close();
    expect(readFileSync(join(dir, "metrics.jsonl"), "utf8").split("\n")).toHaveLength(5);
  });
});

async function lockOfThisProcess(): Promise<{ pid: number; host: string }> {
  const run = await RunFolder.create(join(parent, "other"), config);
  const owner = JSON.parse(readFileSync(join(run.dir, "run.lock"), "utf8"));
  await run.close();
  return owner;
}
