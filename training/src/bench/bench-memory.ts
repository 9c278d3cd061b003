import * as tf from "@tensorflow/tfjs-core";
import { findModel, InputError } from "@tfjs-zoo/models";
import { type BackendName, type Progress, startBackend } from "../node/backends/index.ts";
import { defaultBatch, ourStep } from "./workload.ts";

export interface BenchMemoryOptions {
  model: string;
  /** Default "auto": the best that works. */
  backend?: string;
  /** Images a step. Default 128 on tensorflow, 32 elsewhere. */
  batch?: number;
  /** Default 500. */
  steps?: number;
  progress?: Progress;
}

export interface BenchMemoryResult {
  model: string;
  backend: string;
  /** images a step */
  batch: number;
  steps: number;
  /** tf.memory().numTensors after step 10, and under `num_tensors_<steps>` after the last */
  num_tensors_10: number;
  [key: `num_tensors_${number}`]: number;
  /** resident memory of the process in 10⁶ bytes, after every tenth of the steps */
  rss_mb: number[];
  /** of it, JavaScript's heap at the same moments: garbage that no collection has met yet makes it rise and fall */
  heap_mb: number[];
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
  const { model, backend: asked = "auto", steps = 500, progress } = options;
  findModel(model);
  if (!Number.isInteger(steps) || steps <= firstCount) {
    throw new InputError(`--steps ${steps}: give a whole number above ${firstCount}`);
  }
  const { name: backend } = await startBackend(asked as BackendName | "auto", { progress });
  const batch = options.batch ?? defaultBatch(backend);
  if (!Number.isInteger(batch) || batch < 1) {
    throw new InputError(`--batch ${batch}: give a whole number of at least 1`);
  }
  const takeStep = ourStep(model, batch);
  const every = Math.ceil(steps / 10);
  const [rss, heap]: [number[], number[]] = [[], []];
  let early = 0;
  for (let step = 1; step <= steps; step++) {
    await takeStep();
    if (step === firstCount) early = tf.memory().numTensors;
    if (step % every === 0 || step === steps) {
      const memory = process.memoryUsage();
      rss.push(Math.round(memory.rss / 1e6));
      heap.push(Math.round((memory.heapUsed + memory.external) / 1e6));
    }
    progress?.({ label: "Training", done: step, total: steps, unit: "items" });
  }
  return {
    model,
    backend,
    batch,
    steps,
    num_tensors_10: early,
    ...({ [`num_tensors_${steps}`]: tf.memory().numTensors } as { [key: `num_tensors_${number}`]: number }),
    rss_mb: rss,
    heap_mb: heap,
  };
}
