import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type BackendName,
  collectEnvironment,
  environmentDifferences,
  flagOf,
  type RunConfig,
  RunFolder,
  type Within,
} from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { type Output, startBackendFor, UsageError, wholeNumber } from "../../context.ts";
import { interrupted, precisionHere, untilInterrupted } from "../training.ts";
import type { TrainFlags } from "./flags.ts";

/** Opens a run to go on with. What it does was decided when it began, so no other flag may say otherwise. */
export async function resumed(folder: string, modelName: string | undefined, command: Command): Promise<RunFolder> {
  const allowed = new Set(["resume", "backend", "threads", "json", "checkpointEvery"]);
  const given = Object.keys(command.opts()).filter(
    (key) => command.getOptionValueSource(key) === "cli" && !allowed.has(key),
  );
  if (given.length > 0) {
    throw new UsageError(
      `--${flagOf(given[0])} can't be changed in a run that goes on: leave it out, or start a new run without --resume`,
    );
  }
  const run = await RunFolder.open(folder, "resume");
  if (modelName !== undefined && modelName !== run.config.model) {
    await run.close();
    throw new UsageError(`${folder} is a run of ${run.config.model}, not of ${modelName}: leave the name out`);
  }
  if (existsSync(join(run.dir, "result.json"))) {
    await run.close();
    throw new UsageError(`${run.dir} is finished: its figures are in result.json, its pictures in report.html`);
  }
  return run;
}

/** What a training computes on. */
export interface Machine {
  backend: BackendName;
  threads?: number;
  /** on webgpu: the graphics card */
  device?: string;
  precision: "f32" | "bf16";
  /** what steps run in */
  within?: Within;
}

/** Starts what a training computes on: in a run that goes on what it began on, unless the flags name another. */
export async function machineFor(
  open: RunFolder | undefined,
  asked: string,
  flags: TrainFlags,
  output: Output,
): Promise<Machine> {
  const named = open && flags.backend === "auto" ? String(open.config.backend) : flags.backend;
  const { name: backend, statuses, inBf16, device } = await startBackendFor({ ...flags, backend: named }, output);
  const precision = precisionHere(asked, inBf16 !== undefined, output);
  const threads = statuses.find(({ name }) => name === backend)?.threads;
  return { backend, threads, device, precision, within: precision === "bf16" ? inBf16 : undefined };
}

/** A run that goes on, or what a new one is asked to do. */
export interface Begun {
  open: RunFolder | undefined;
  config: Omit<RunConfig, "backend" | "precision">;
  /** `digestOf` what is learned, where it is a file that may change before the run goes on */
  data?: string;
  flags: TrainFlags;
  machine: Machine;
  output: Output;
}

/** Trains in a run until it is finished or interrupted; of one that did nothing yet no folder is left. */
export async function trainInRun<Result>(
  { open, config, data, flags, machine: { backend, threads, device, precision }, output }: Begun,
  train: (run: RunFolder, going: { checkpointEvery: number; signal: AbortSignal }) => Promise<Result | undefined>,
  finish: (run: RunFolder, result: Result, output: Output) => void,
): Promise<void> {
  const whole = { ...config, backend, precision } as RunConfig;
  const environment = { backend, threads, device, data };
  const run = open ?? (await newRun(whole, flags, environment));
  try {
    if (open) await sayDifferences(run, environment, output);
    const checkpointEvery = wholeNumber("--checkpoint-every", flags.checkpointEvery, 1);
    const result = await untilInterrupted(output, (signal) => train(run, { checkpointEvery, signal }));
    if (result === undefined) interrupted(run, output);
    else finish(run, result, output);
  } catch (error) {
    await run.removeIfEmpty();
    throw error;
  } finally {
    await run.close();
  }
}

function newRun(
  config: RunConfig,
  { run, runs }: TrainFlags,
  environment: Record<string, unknown>,
): Promise<RunFolder> {
  return run ? RunFolder.create(run, config, environment) : RunFolder.createNamed(runs, config, environment);
}

/** Tells whether texts are the same as those of a run's beginning. */
export function digestOf(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text.length} `).update(text);
  return hash.digest("hex").slice(0, 16);
}

/** A run goes on bit-equal only on the same kind of machine and data; elsewhere it goes on and says so. */
async function sayDifferences(run: RunFolder, known: Record<string, unknown>, output: Output): Promise<void> {
  const before = await run.readEnvironment();
  const differences = environmentDifferences({ ...before }, { ...collectEnvironment(known) });
  if (differences.length > 0) {
    output.line(
      `not bit-equal to a run that was never interrupted, since it began otherwise: ${differences.join("; ")}`,
    );
  }
}
