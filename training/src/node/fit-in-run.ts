import type * as tf from "@tensorflow/tfjs-core";
import { type BatchSource, type EpochEvent, type FitEnd, fit, type Position, type StepEvent } from "../loop/fit.ts";
import type { Trainer } from "../loop/trainer.ts";
import type { Schedule } from "../schedules/schedule.ts";
import { type Checkpoint, saveCheckpoint } from "./checkpoint.ts";
import { MetricsWriter } from "./metrics-writer.ts";
import type { RunFolder } from "./runs/run-folder.ts";

/** What callers of a training in a run's folder may say and hear. */
export interface RunTraining {
  /** Finishes the step under way, saves and ends. */
  signal?: AbortSignal;
  /** steps between two checkpoints inside an epoch */
  checkpointEvery?: number;
  onStep?(event: StepEvent): void;
  onEpoch?(event: EpochEvent): void;
}

export interface FitInRun<Batch, Inputs extends tf.TensorContainer> {
  run: RunFolder;
  training: RunTraining;
  trainer: Trainer<Batch, Inputs>;
  /** where the run goes on, if it does */
  checkpoint?: Checkpoint;
  data: BatchSource<Batch>;
  recipe: { epochs: number; learningRate: number; accumulate: number; patience: number };
  schedule: Schedule;
  validate?: () => Promise<{ [name: string]: number }>;
  score?: (validation: { [name: string]: number }) => number;
  /** Writes the weights as they are to a file. */
  saveWeights(path: string): Promise<unknown>;
  /** Called after every epoch, before its checkpoint is saved. */
  afterEpoch?(epoch: number): Promise<void>;
}

/** Trains in a run's folder, from the start or from a checkpoint, and keeps records and checkpoints there. */
export async function fitInRun<Batch, Inputs extends tf.TensorContainer>({
  run,
  training,
  trainer,
  checkpoint,
  data,
  recipe: { epochs, learningRate, accumulate, patience },
  schedule,
  validate,
  score,
  saveWeights,
  afterEpoch,
}: FitInRun<Batch, Inputs>): Promise<{ end: FitEnd; position: Position }> {
  const { signal, checkpointEvery = 200 } = training;
  const save = async (position: Position) =>
    saveCheckpoint(run.checkpointPath("last"), run.config.model, {
      state: await trainer.state(),
      step: trainer.step,
      position,
    });
  await run.truncateMetrics(trainer.step);
  const metrics = new MetricsWriter(run, checkpoint?.step);
  try {
    return await fit(trainer, {
      ...{ data, epochs, learningRate, schedule, accumulate, patience, validate, score, signal },
      position: checkpoint?.position,
      onStep(event) {
        metrics.step(event);
        training.onStep?.(event);
      },
      async onEpoch(event) {
        metrics.epoch(event);
        if (event.improved) await trainer.withAverage(() => saveWeights(run.checkpointPath("best")).then(() => {}));
        await afterEpoch?.(event.epoch);
        training.onEpoch?.(event);
      },
      async onPosition(position, at) {
        if (at === "epoch" || position.stepInEpoch % checkpointEvery === 0 || signal?.aborted) await save(position);
      },
    });
  } finally {
    metrics.close();
  }
}
