import type { FitEnd, Position } from "../loop/fit.ts";
import { type ReportData, renderReport } from "./runs/report.ts";
import { reportHistory } from "./runs/report-history.ts";
import type { RunConfig, RunFolder } from "./runs/run-folder.ts";

/** What a run came to, whatever it learned: part of the content of its result.json. */
export interface RunResult {
  end: FitEnd;
  model: string;
  dataset: string;
  recipe: string;
  seed: number;
  backend: string;
  precision: string;
  epochs: number;
  /** seconds of training, over all processes of the run */
  seconds: number;
  /** of these, waiting for batches */
  dataSeconds: number;
  /** of these, in steps; the rest is held-out tests and checkpoints */
  stepSeconds: number;
  /** tokens, texts or images a second */
  itemsPerSecond: number;
  /** most memory that the process held, bytes; of the last one, where the run was resumed */
  peakMemoryBytes: number;
}

export function runResult(
  { model, dataset, recipeName, seed, backend, precision }: RunConfig,
  end: FitEnd,
  { epoch: epochs, seconds, dataSeconds, stepSeconds }: Position,
  itemsPerSecond: number,
): RunResult {
  return {
    ...{ end, model, dataset, recipe: String(recipeName), seed, backend, precision, epochs },
    ...{ seconds, dataSeconds, stepSeconds, itemsPerSecond },
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** What a report says of a run beside what all have in common. */
export interface RunReport extends Partial<Pick<ReportData, "classes" | "confusion">> {
  title: string;
  /** the first is the one that counts */
  figures: ReportData["summary"];
  /** what is counted a second: "tokens" */
  items: string;
}

/** The report of a finished run, as one HTML document. */
export async function runReport(
  run: RunFolder,
  { end, epochs, seconds, dataSeconds, stepSeconds, itemsPerSecond }: RunResult,
  { title, figures, items, classes = [], confusion }: RunReport,
): Promise<string> {
  return renderReport({
    title,
    summary: [
      ...figures,
      { label: "epochs", value: `${epochs}${end === "stopped early" ? ", stopped early" : ""}` },
      { label: "training time", value: `${(seconds / 60).toFixed(1)} min` },
      { label: `${items}/s`, value: itemsPerSecond.toFixed(0) },
    ],
    history: reportHistory(await run.readMetrics()),
    ...{ classes, confusion },
    timing: { dataSeconds, stepSeconds, otherSeconds: Math.max(0, seconds - dataSeconds - stepSeconds) },
    config: run.config,
    env: await run.readEnvironment(),
  });
}
