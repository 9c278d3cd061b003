import { type Batch, epochBatches, inMemoryImages, prefetch } from "@tfjs-zoo/datasets";
import { findClassifier, InputError, randomStream } from "@tfjs-zoo/models";
import { type BackendName, type Progress, startBackend } from "../node/backends/index.ts";
import { type BenchEnvironment, benchEnvironment } from "./bench-environment.ts";
import { preparedStep, withinPrecision } from "./workload.ts";

export interface BenchDataOptions {
  model: string;
  /** Default "auto": the best that works. */
  backend?: string;
  precision?: string;
  /** Training steps. Default 50. */
  steps?: number;
  progress?: Progress;
}

export interface BenchDataResult {
  model: string;
  backend: string;
  precision: string;
  batch: number;
  /** images a second that are cropped, flipped, blanked and normalised when nothing else is done */
  augmented_per_s: number;
  /** images a second of the training that they are for */
  trained_per_s: number;
  /** milliseconds that a training step waits for its batch, on average */
  wait_ms: number;
  /** milliseconds of the step itself */
  step_ms: number;
  environment: BenchEnvironment;
}

const batchSize = 128;
const warmUp = 5;

/**
 * How fast data comes, and how long training waits for it: pad-4 random crop, flip and an 8×8 cutout of 32×32 images (of
 * noise, which costs the same), as the trainer prepares them.
 *
 * @throws InputError for an unknown model or backend, one whose images are not 32×32×3, and a number of steps that is none
 */
export async function benchData(options: BenchDataOptions): Promise<BenchDataResult> {
  const { model, backend: asked = "auto", precision = "f32", steps = 50, progress } = options;
  const { inputShape } = findClassifier(model);
  if (inputShape.join() !== "32,32,3")
    throw new InputError(`${model} takes ${inputShape.join("x")}: give a network for CIFAR`);
  if (!Number.isInteger(steps) || steps < 1)
    throw new InputError(`--steps ${steps}: give a whole number of at least 1`);
  const { name: backend, inBf16, device } = await startBackend(asked as BackendName | "auto", { progress });
  const random = randomStream(0, "bench data");
  const count = batchSize * (steps + warmUp);
  const pixels = Uint8Array.from({ length: count * 3072 }, () => random.integer(256));
  const labels = Uint16Array.from({ length: count }, (_, i) => i % 10);
  const batches = (epoch: number): AsyncIterable<Batch> =>
    epochBatches({
      set: inMemoryImages(pixels, labels, [32, 32, 3]),
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      batchSize,
      augmentation: { pad: 4, flip: true, cutout: 8 },
      random: (...path) => randomStream(0, ...path),
      epoch,
      dropLast: true,
    });

  let seen = 0;
  const start = performance.now();
  for await (const batch of batches(0)) {
    seen += batch.size;
    progress?.({ label: "Preparing images", done: seen, total: count, unit: "items" });
  }
  const augmented = (1000 * seen) / (performance.now() - start);

  const step = preparedStep(model, withinPrecision(precision, backend, inBf16));
  let [waited, stepped, taken] = [0, 0, 0];
  let asking = performance.now();
  for await (const batch of prefetch(batches(1), 2)) {
    const given = performance.now();
    await step(batch);
    const done = performance.now();
    taken++;
    if (taken > warmUp) {
      waited += given - asking;
      stepped += done - given;
    }
    progress?.({ label: "Training", done: taken, total: steps + warmUp, unit: "items" });
    asking = performance.now();
  }
  const round = (value: number, digits: number) => Number(value.toFixed(digits));
  return {
    model,
    backend,
    precision,
    batch: batchSize,
    augmented_per_s: Math.round(augmented),
    trained_per_s: Math.round((1000 * batchSize * steps) / (waited + stepped)),
    wait_ms: round(waited / steps, 2),
    step_ms: round(stepped / steps, 2),
    environment: benchEnvironment(device),
  };
}
