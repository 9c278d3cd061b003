import { loadDataset } from "@tfjs-zoo/datasets/node";
import { findModel } from "@tfjs-zoo/models";
import { collectEnvironment, RunFolder, recipeFor } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  startBackendFor,
  threadsOption,
  wholeNumber,
} from "../context.ts";
import { formatDuration } from "../terminal/format.ts";
import { formatTable } from "../terminal/table.ts";
import { resultsFolder, SAVE, saveResult } from "./bench/common.ts";
import { interrupted, percent, precisionHere, shown, trainShown, untilInterrupted } from "./training.ts";

/** The mean accuracy that a speedrun is for (Jordan 2024, sec. 1): about what people reach on CIFAR-10's test set. */
const TARGET = 0.94;
const MODEL = "airbench94";
const DATASET = "cifar10";

interface SpeedrunFlags extends CommonFlags {
  seeds: string;
  runs: string;
  save?: string | true;
}

/** One training from scratch. */
interface SeedResult {
  seed: number;
  /** on the whole test set */
  accuracy: number;
  /** from the data in memory to the last test image: initialisation, training, test, and writing it all to disk */
  seconds: number;
  train_seconds: number;
  run: string;
}

export function registerSpeedrun(program: Command): void {
  program
    .command("speedrun")
    .description("train to 94 % on CIFAR-10's test set from scratch, in the least time")
    .option("--seeds <n>", "trainings, with seeds from 0 on", "3")
    .option("--runs <folder>", "where the runs go", "runs")
    .option("--save [folder]", SAVE)
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(speedrun);
}

async function speedrun(flags: SpeedrunFlags): Promise<void> {
  const output = createOutput(flags);
  const seeds = wholeNumber("--seeds", flags.seeds, 1, 1000);
  const folder = resultsFolder(flags.save);
  const { name: backend, statuses, inBf16 } = await startBackendFor(flags, output);
  const precision = precisionHere("auto", inBf16 !== undefined, output);
  const threads = statuses.find(({ name }) => name === backend)?.threads;
  const dataset = await loadDataset(DATASET, { progress: (event) => output.progress.update(event) });
  const recipe = recipeFor("speedrun", DATASET);
  const results: SeedResult[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const asked = { model: MODEL, dataset: DATASET, recipeName: "speedrun", recipe: { ...recipe }, seed, full: true };
    const run = await RunFolder.createNamed(flags.runs, { ...asked, backend, precision }, { backend, threads });
    try {
      const begun = performance.now();
      const within = precision === "bf16" ? inBf16 : undefined;
      const result = await untilInterrupted(output, (signal) => trainShown(run, { dataset, within, signal, output }));
      if (result === undefined) return interrupted(run, output);
      const seconds = (performance.now() - begun) / 1000;
      const { accuracy, seconds: trainSeconds } = result;
      results.push({ seed, accuracy, seconds, train_seconds: trainSeconds, run: run.dir });
      output.line(`seed ${seed}: ${percent(accuracy)} on ${result.testImages} test images, ${formatDuration(seconds)}`);
    } finally {
      await run.close();
    }
  }
  const accuracies = results.map(({ accuracy }) => accuracy);
  const summary = {
    model: MODEL,
    backend,
    precision,
    recipe: "speedrun",
    epochs: recipe.epochs,
    target: TARGET,
    mean_accuracy: mean(accuracies),
    mean_seconds: mean(results.map(({ seconds }) => seconds)),
    parameters: findModel(MODEL).params,
    seeds: results.map(({ run, ...figures }) => figures),
    environment: collectEnvironment({ backend, threads }),
  };
  await saveResult(folder, ["speedrun", MODEL, backend, precision], summary);
  output.result({ ...summary, seeds: results }, () => {
    const rows = results.map(({ seed, accuracy, seconds, train_seconds, run }) => ({
      seed: String(seed),
      accuracy: percent(accuracy),
      "wall time": formatDuration(seconds),
      "of which training": formatDuration(train_seconds),
      run: shown(run),
    }));
    const table = formatTable(rows, [
      { key: "seed", align: "right" },
      { key: "accuracy", align: "right" },
      { key: "wall time", align: "right" },
      { key: "of which training", align: "right" },
      { key: "run" },
    ]);
    const { mean_accuracy, mean_seconds } = summary;
    const verdict =
      mean_accuracy >= TARGET ? "reached" : `missed by ${(100 * (TARGET - mean_accuracy)).toFixed(2)} points`;
    const means = `mean ${percent(mean_accuracy)} in ${formatDuration(mean_seconds)}`;
    return `${table}\n${means} a training: ${percent(TARGET)} ${verdict}`;
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
