import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { findModel } from "@tfjs-zoo/models";
import type { ClassifierResult } from "../classifier-result.ts";
import { RunFolder } from "../runs/run-folder.ts";

/** One training of a comparison. */
export interface ComparedRun {
  seed: number;
  /** on the whole test set, 0 to 1 */
  accuracy: number;
  seconds: number;
  items_per_s: number;
  peak_memory_mb: number;
  /** held-out accuracy after each epoch, and the seconds of training until then */
  curve: { epoch: number; seconds: number; accuracy: number }[];
}

/** A network of a comparison. */
export interface ComparedModel {
  model: string;
  parameters: number;
  /** multiply-adds for one image */
  macs: number;
  epochs: number;
  runs: ComparedRun[];
  /** of the test accuracy over seeds; the deviation is undefined for one seed */
  accuracy: { mean: number; deviation?: number };
  /** means over seeds */
  items_per_s: number;
  seconds: number;
  peak_memory_mb: number;
  /** for one image, batch norms folded */
  infer_ms: number;
}

export interface Comparison {
  dataset: string;
  recipe: string;
  backend: string;
  precision: string;
  /** what each training was given */
  budget: { epochs: number } | { minutes: number };
  train_images: number;
  test_images: number;
  models: ComparedModel[];
  /** seeds whose training failed, and why */
  failed: { model: string; seed: number; reason: string }[];
  /** cpu, cores, versions */
  environment: { [name: string]: unknown };
}

/** What finished runs of one network came to. */
export async function comparedModel(
  model: string,
  runFolders: readonly string[],
  inferMs: number,
): Promise<ComparedModel> {
  const results = await Promise.all(runFolders.map(readRun));
  const { params, macs } = findModel(model);
  const runs = results.map(({ run }) => run);
  const mean = (value: (run: ComparedRun) => number) => runs.reduce((sum, run) => sum + value(run), 0) / runs.length;
  const accuracy = mean((run) => run.accuracy);
  const variance = runs.reduce((sum, run) => sum + (run.accuracy - accuracy) ** 2, 0) / (runs.length - 1);
  return {
    model,
    parameters: params,
    macs,
    epochs: results[0].epochs,
    runs,
    accuracy: { mean: accuracy, ...(runs.length > 1 && { deviation: Math.sqrt(variance) }) },
    items_per_s: mean((run) => run.items_per_s),
    seconds: mean((run) => run.seconds),
    peak_memory_mb: mean((run) => run.peak_memory_mb),
    infer_ms: inferMs,
  };
}

async function readRun(folder: string): Promise<{ run: ComparedRun; epochs: number }> {
  const run = await RunFolder.open(folder, "read");
  const result = JSON.parse(await readFile(join(folder, "result.json"), "utf8")) as ClassifierResult;
  const metrics = await run.readMetrics();
  const seconds = new Map(metrics.filter(({ kind }) => kind === "epoch").map(({ epoch, seconds: s }) => [epoch, s]));
  let elapsed = 0;
  const curve = metrics
    .filter(({ kind }) => kind === "validation")
    .map(({ epoch, accuracy }) => {
      elapsed = Number(seconds.get(epoch) ?? elapsed);
      return { epoch: Number(epoch), seconds: elapsed, accuracy: Number(accuracy) };
    });
  return {
    epochs: result.epochs,
    run: {
      seed: result.seed,
      accuracy: result.accuracy,
      seconds: result.seconds,
      items_per_s: result.itemsPerSecond,
      peak_memory_mb: result.peakMemoryBytes / 2 ** 20,
      curve,
    },
  };
}

/**
 * What the differences of a comparison are worth, in a sentence: networks that differ by less than about twice the
 * standard error of a difference of means may as well be equal.
 */
export function worthOf({ models }: Comparison): string {
  const spread = models.filter(({ accuracy }) => accuracy.deviation !== undefined);
  if (spread.length === 0) {
    return "One seed each: what is chance between two trainings of the same network can't be told; give --seeds 3.";
  }
  const variance = spread.reduce((sum, { accuracy }) => sum + (accuracy.deviation as number) ** 2, 0) / spread.length;
  const seeds = Math.min(...spread.map(({ runs }) => runs.length));
  const deviation = 100 * Math.sqrt(variance);
  const limit = 2 * deviation * Math.sqrt(2 / seeds);
  return (
    `Between seeds of one network the accuracy varies by ${deviation.toFixed(2)} points (standard deviation, ` +
    `${seeds} seeds each): means that differ by less than ${limit.toFixed(2)} points may do so by chance.`
  );
}
