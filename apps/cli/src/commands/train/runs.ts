import { existsSync } from "node:fs";
import { join } from "node:path";
import { collectEnvironment, environmentDifferences, flagOf, type RunConfig, RunFolder } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { type Output, UsageError } from "../../context.ts";
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

export function newRun(
  config: RunConfig,
  { run, runs }: TrainFlags,
  environment: Record<string, unknown>,
): Promise<RunFolder> {
  return run ? RunFolder.create(run, config, environment) : RunFolder.createNamed(runs, config, environment);
}

/** A run goes on bit-equal only on the same kind of machine; elsewhere it goes on and says so. */
export async function sayDifferences(run: RunFolder, known: Record<string, unknown>, output: Output): Promise<void> {
  const before = await run.readEnvironment();
  const differences = environmentDifferences({ ...before }, { ...collectEnvironment(known) });
  if (differences.length > 0) {
    output.line(
      `not bit-equal to a run that was never interrupted, since it began elsewhere: ${differences.join("; ")}`,
    );
  }
}
