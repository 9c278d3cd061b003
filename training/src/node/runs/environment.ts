import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";

/** What a run ran on: the content of env.json. */
export interface Environment {
  zoo: string;
  node: string;
  tfjs: string;
  backend: string;
  /** The native library's version; null on other backends. */
  tensorflow: string | null;
  cpu: string;
  cores: number;
  memoryBytes: number;
  platform: string;
  /** The commit of the checkout that this source lies in, with "-dirty" if files differ from it; null if none. */
  gitCommit: string | null;
  date: string;
  commandLine: string;
  [key: string]: unknown;
}

/**
 * Looks at this process and machine.
 *
 * @param known what the caller knows better, e.g. the backend it started and its thread count
 */
export function collectEnvironment(known: Record<string, unknown> = {}): Environment {
  const require = createRequire(import.meta.url);
  return {
    zoo: (require("../../../package.json") as { version: string }).version,
    node: process.versions.node,
    tfjs: tf.version_core,
    backend: tf.getBackend() || "none",
    tensorflow: tensorflowVersion(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform}-${process.arch} ${release()}`,
    gitCommit: gitCommit(),
    date: new Date().toISOString(),
    // A report is shown to others, whom the folders of this machine do not concern.
    commandLine: [...process.argv.slice(0, 2).map((path) => basename(path)), ...process.argv.slice(2)]
      .map(shellQuoted)
      .join(" "),
    ...known,
  };
}

/** The fields that must agree for a resumed run to be bit-equal to an uninterrupted one. */
const DECIDING = [
  "zoo",
  "node",
  "tfjs",
  "backend",
  "tensorflow",
  "cpu",
  "cores",
  "device",
  "threads",
  "gitCommit",
  "data",
];

/**
 * Why a run that continues here may differ in the last bits from one that was never interrupted.
 *
 * @returns lines such as "cpu: Xeon A before, Xeon B now"; empty if nothing that matters changed
 */
export function environmentDifferences(before: Record<string, unknown>, now: Record<string, unknown>): string[] {
  return DECIDING.filter((key) => String(before[key] ?? "none") !== String(now[key] ?? "none")).map(
    (key) => `${key}: ${before[key] ?? "none"} before, ${now[key] ?? "none"} now`,
  );
}

function tensorflowVersion(): string | null {
  if (tf.getBackend() !== "tensorflow") return null;
  const backend = tf.backend() as unknown as { binding?: { TF_Version?: string } };
  return backend.binding?.TF_Version ?? null;
}

function gitCommit(): string | null {
  const git = (...args: string[]) =>
    execFileSync("git", args, {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 5000,
    }).trim();
  try {
    return git("rev-parse", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") ? "-dirty" : "");
  } catch {
    return null;
  }
}

/** An argument as a shell takes it. */
export function shellQuoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
