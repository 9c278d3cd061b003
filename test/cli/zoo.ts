import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const main = fileURLToPath(new URL("../../apps/cli/src/main.ts", import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

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

/** Runs the zoo command in a process of its own, as `npm run zoo` does, and waits for its end. */
export function zoo(args: string[], { env = {}, cwd, preload = [], onStart }: ZooOptions = {}): Promise<Ended> {
  const imports = [tsx, ...preload].flatMap((module) => ["--import", module]);
  const child = spawn(process.execPath, [...imports, "--conditions=tfjs-zoo-source", main, ...args], {
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

/** A folder that is gone after `body`. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "zoo-test-"));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
