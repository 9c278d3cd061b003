import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as tf from "@tensorflow/tfjs-core";
import { findModel, InputError } from "@tfjs-zoo/models";
import { type BackendName, type Progress, startBackend } from "../node/backends/index.ts";
import { type BenchEnvironment, benchEnvironment } from "./bench-environment.ts";
import { checkChoice } from "./check-choice.ts";
import { defaultBatch, ourWorkload, precisionNames, withinPrecision } from "./workload.ts";

export interface BenchMemoryOptions {
  model: string;
  /** Default "auto": the best that works. */
  backend?: string;
  /** Default "f32". "bf16" needs `tensorflow` and a processor that multiplies it. */
  precision?: string;
  /** Images a step. Default 128 on tensorflow, 32 elsewhere. */
  batch?: number;
  /** Default 500. */
  steps?: number;
  progress?: Progress;
}

export interface BenchMemoryResult {
  model: string;
  backend: string;
  precision: string;
  /** images a step */
  batch: number;
  steps: number;
  /** tf.memory().numTensors after step 10, and under `num_tensors_<steps>` after the last */
  num_tensors_10: number;
  [key: `num_tensors_${number}`]: number;
  /** resident memory of the process in 10⁶ bytes, after every tenth of the steps, when garbage has been collected */
  rss_mb: number[];
  /** of it, JavaScript's heap at the same moments */
  heap_mb: number[];
  environment: BenchEnvironment;
}

/** Steps after which the first count is taken: by then the optimizer and the moving averages have what they keep. */
const firstCount = 10;

/**
 * Trains on noise in this process and records what memory it holds: tensors must not become more, resident memory must
 * be flat.
 *
 * @throws InputError for an unknown model or backend, and unless steps is a whole number above 10
 */
export async function benchMemory(options: BenchMemoryOptions): Promise<BenchMemoryResult> {
  const { model, backend: asked = "auto", precision = "f32", steps = 500, progress } = options;
  findModel(model);
  checkChoice("precision", precision, precisionNames);
  if (!Number.isInteger(steps) || steps <= firstCount) {
    throw new InputError(`--steps ${steps}: give a whole number above ${firstCount}`);
  }
  const { name: backend, inBf16, device } = await startBackend(asked as BackendName | "auto", { progress });
  const batch = options.batch ?? defaultBatch(backend);
  if (!Number.isInteger(batch) || batch < 1) {
    throw new InputError(`--batch ${batch}: give a whole number of at least 1`);
  }
  const { step: takeStep } = ourWorkload(model, batch, withinPrecision(precision, backend, inBf16));
  const collectGarbage = garbageCollector();
  const every = Math.ceil(steps / 10);
  const [rss, heap]: [number[], number[]] = [[], []];
  let early = 0;
  for (let step = 1; step <= steps; step++) {
    await takeStep();
    if (step === firstCount) early = tf.memory().numTensors;
    if (step % every === 0 || step === steps) {
      collectGarbage();
      const memory = process.memoryUsage();
      rss.push(Math.round(memory.rss / 1e6));
      heap.push(Math.round((memory.heapUsed + memory.external) / 1e6));
    }
    progress?.({ label: "Training", done: step, total: steps, unit: "items" });
  }
  return {
    model,
    backend,
    precision,
    batch,
    steps,
    num_tensors_10: early,
    ...({ [`num_tensors_${steps}`]: tf.memory().numTensors } as { [key: `num_tensors_${number}`]: number }),
    rss_mb: rss,
    heap_mb: heap,
    environment: benchEnvironment(device),
  };
}

/** What Node has only under a flag: to collect all garbage at once. Without, memory rises until it is collected. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
