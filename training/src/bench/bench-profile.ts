import * as tf from "@tensorflow/tfjs-core";
import { findModel, InputError } from "@tfjs-zoo/models";
import { type BackendName, type Progress, startBackend } from "../node/backends/index.ts";
import { type BenchEnvironment, benchEnvironment } from "./bench-environment.ts";
import { checkChoice } from "./check-choice.ts";
import { askKernels, type KernelTimer, type OpCost, opCosts, timeKernels } from "./kernel-times.ts";
import { defaultBatch, ourWorkload, precisionNames, withinPrecision } from "./workload.ts";

export interface BenchProfileOptions {
  model: string;
  /** Default "auto": the best that works. */
  backend?: string;
  /** Default "f32". "bf16" needs `tensorflow` and a processor that multiplies it. */
  precision?: string;
  /** Images a step. Default 128 on tensorflow, 32 elsewhere. */
  batch?: number;
  /** Profiled steps. Default 10. */
  steps?: number;
  progress?: Progress;
}

export interface BenchProfileResult {
  model: string;
  backend: string;
  precision: string;
  batch: number;
  steps: number;
  step_ms: number;
  ops: OpCost[];
  environment: BenchEnvironment;
}

/** Steps before the first that counts. */
const warmUp = 5;

/**
 * Where the time of a training step goes, op by op: by the clock, and on webgpu by the graphics card's own timestamps.
 *
 * @throws InputError for an unknown model or backend, a number that is none, and on webgpu for a card without timestamps
 */
export async function benchProfile(options: BenchProfileOptions): Promise<BenchProfileResult> {
  const { model, backend: asked = "auto", precision = "f32", steps = 10, progress } = options;
  findModel(model);
  checkChoice("precision", precision, precisionNames);
  const { name: backend, inBf16, device } = await startBackend(asked as BackendName | "auto", { progress });
  const batch = options.batch ?? defaultBatch(backend);
  for (const [flag, value] of Object.entries({ batch, steps })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InputError(`--${flag} ${value}: give a whole number of at least 1`);
    }
  }
  const { step: takeStep } = ourWorkload(model, batch, withinPrecision(precision, backend, inBf16));
  for (let step = 0; step < warmUp; step++) await takeStep();
  const timer = backend === "webgpu" ? cardTimer(device) : timeKernels(backend);
  const start = performance.now();
  for (let step = 1; step <= steps; step++) {
    await timer.around(takeStep);
    progress?.({ label: "Profiling", done: step, total: steps, unit: "items" });
  }
  const total = (performance.now() - start) / steps;
  return {
    model,
    backend,
    precision,
    batch,
    steps,
    step_ms: total,
    ops: opCosts(timer.stop(), steps, total),
    environment: benchEnvironment(device),
  };
}

function cardTimer(device = "this card"): KernelTimer {
  if (!tf.engine().backend.timerAvailable()) {
    throw new InputError(`--profile on webgpu: ${device} has no timestamps (timestamp-query); give another backend`);
  }
  return askKernels();
}
