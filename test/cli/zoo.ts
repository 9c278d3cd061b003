import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

/** The built command: hundreds of times it starts here, in 0.6 s, where the source through tsx takes 1.5 s. */
const main = fileURLToPath(new URL("../../apps/cli/bin/zoo.js", import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ZooOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** modules to load first */
  preload?: string[];
  /** Gets the process, to send it signals. */
  onStart?(child: ChildProcess): void;
}

/** Runs the zoo command in a process of its own, as those do who installed it, and waits for its end. */
export function zoo(args: string[], { env = {}, cwd, preload = [], onStart }: ZooOptions = {}): Promise<Ended> {
  const imports = preload.flatMap((module) => ["--import", module]);
  const child = spawn(process.execPath, [...imports, main, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onStart?.(child);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Kills the zoo command when it has said something. */
export function killedAfter(says: RegExp): Required<Pick<ZooOptions, "onStart">> {
  return {
    onStart(child) {
      let said = "";
      child.stderr?.on("data", (text) => {
        said += text;
        if (says.test(said)) child.kill("SIGKILL");
      });
    },
  };
}

/** Goes on with a run that was killed, and expects the weights of one that was not. */
export async function expectSameWhenResumed(killed: Ended, run: string, whole: string): Promise<void> {
  expect(killed.signal, killed.stderr).toBe("SIGKILL");
  const resumed = await zoo(["train", "--resume", run]);
  expect(resumed.code, resumed.stderr).toBe(0);
  const weights = (of: string) => readFile(join(of, "weights.safetensors"));
  expect((await weights(run)).equals(await weights(whole))).toBe(true);
}

/** A folder that is gone after `body`. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "zoo-test-"));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
