import type * as tf from "@tensorflow/tfjs-core";
import { InputError } from "@tfjs-zoo/models";
import type { Schedule } from "../schedules/schedule.ts";
import { events } from "./events.ts";
import type { StepResult, Trainer } from "./trainer.ts";

/** Where batches come from. An epoch can be entered at any batch, and gives the same batches every time. */
export interface BatchSource<Batch> {
  readonly batchesPerEpoch: number;
  epoch(epoch: number, firstBatch: number): AsyncIterable<Batch>;
}

/** How far a training has come; with the trainer's state all that resuming needs. Plain data. */
export interface Position {
  /** epochs finished */
  epoch: number;
  /** steps taken in the epoch under way */
  stepInEpoch: number;
  /** sums of the epoch under way */
  epochLoss: number;
  epochItems: number;
  epochMetrics: { [name: string]: number };
  /** the best score on the held-out set, after which epoch */
  best?: { epoch: number; value: number };
  /** seconds of training, over all its processes; of these, waiting for batches, and in steps */
  seconds: number;
  dataSeconds: number;
  stepSeconds: number;
}

export const start: Position = {
  epoch: 0,
  stepInEpoch: 0,
  epochLoss: 0,
  epochItems: 0,
  epochMetrics: {},
  seconds: 0,
  dataSeconds: 0,
  stepSeconds: 0,
};

export interface StepEvent extends StepResult {
  /** 1-based, over the whole training */
  step: number;
  /** 1-based epoch that this step belongs to */
  epoch: number;
  stepInEpoch: number;
  stepsPerEpoch: number;
  learningRate: number;
  /** means over the epoch so far */
  meanLoss: number;
  meanMetrics: { [name: string]: number };
  /** time that the step waited for its batches */
  dataMs: number;
  /** time that the step computed */
  stepMs: number;
}

export interface EpochEvent {
  /** 1-based */
  epoch: number;
  step: number;
  trainLoss: number;
  trainMetrics: { [name: string]: number };
  learningRate: number;
  /** on the held-out set, by name; undefined when there is none */
  validation?: { [name: string]: number };
  improved: boolean;
  seconds: number;
}

export interface FitOptions<Batch> {
  data: BatchSource<Batch>;
  epochs: number;
  /** peak learning rate */
  learningRate: number;
  schedule: Schedule;
  /** batches whose gradients are averaged for one update */
  accumulate?: number;
  /** Measures the network on held-out data after every epoch. */
  validate?: () => Promise<{ [name: string]: number }>;
  /** What decides which epoch is best: the more the better; `accuracy` unless given. */
  score?: (validation: { [name: string]: number }) => number;
  /** epochs without a better score after which to stop, 0 for never */
  patience?: number;
  position?: Position;
  /** Stops after the step under way. */
  signal?: AbortSignal;
  onStep?(event: StepEvent): void | Promise<void>;
  onEpoch?(event: EpochEvent): void | Promise<void>;
  /** Called after every step and epoch with what a checkpoint must remember. */
  onPosition?(position: Position, at: "step" | "epoch"): void | Promise<void>;
}

export type FitEnd = "finished" | "stopped early" | "interrupted";

/**
 * Trains for some epochs.
 *
 * @returns why it ended, and where
 * @throws InputError when the loss is no longer finite
 */
export async function fit<Batch, Inputs extends tf.TensorContainer>(
  trainer: Trainer<Batch, Inputs>,
  options: FitOptions<Batch>,
): Promise<{ end: FitEnd; position: Position }> {
  const { data, epochs, schedule, accumulate = 1, patience = 0, signal } = options;
  const stepsPerEpoch = Math.floor(data.batchesPerEpoch / accumulate);
  const position: Position = structuredClone({ ...start, ...options.position });
  const secondsBefore = position.seconds;
  const began = performance.now();
  let learningRate = 0;

  while (position.epoch < epochs) {
    let microBatches: Batch[] = [];
    let waitingSince = performance.now();
    for await (const batch of data.epoch(position.epoch, position.stepInEpoch * accumulate)) {
      microBatches.push(batch);
      if (microBatches.length < accumulate) continue;
      const stepBegan = performance.now();
      learningRate = options.learningRate * schedule(position.epoch + position.stepInEpoch / stepsPerEpoch, epochs);
      const result = await trainer.takeStep(microBatches, learningRate);
      if (!Number.isFinite(result.loss) || !Number.isFinite(result.gradientNorm)) throw diverged(trainer.step, result);
      const stepEnded = performance.now();
      microBatches = [];

      position.stepInEpoch++;
      position.epochItems += result.items;
      position.epochLoss += result.loss * result.items;
      for (const [name, value] of Object.entries(result.metrics)) {
        position.epochMetrics[name] = (position.epochMetrics[name] ?? 0) + value;
      }
      position.seconds = secondsBefore + (stepEnded - began) / 1000;
      position.dataSeconds += (stepBegan - waitingSince) / 1000;
      position.stepSeconds += (stepEnded - stepBegan) / 1000;
      await options.onStep?.({
        ...result,
        step: trainer.step,
        epoch: position.epoch + 1,
        stepInEpoch: position.stepInEpoch,
        stepsPerEpoch,
        learningRate,
        ...means(position),
        dataMs: stepBegan - waitingSince,
        stepMs: stepEnded - stepBegan,
      });
      await events(); // first, so that whoever keeps the position knows that this step is the last
      await options.onPosition?.(position, "step");
      if (signal?.aborted) return { end: "interrupted", position };
      if (position.stepInEpoch === stepsPerEpoch) break;
      waitingSince = performance.now();
    }

    const { meanLoss, meanMetrics } = means(position);
    position.epoch++;
    const validation = await (options.validate && trainer.withAverage(options.validate));
    const score = validation && (options.score ?? (({ accuracy }) => accuracy))(validation);
    const improved = score !== undefined && score > (position.best?.value ?? Number.NEGATIVE_INFINITY);
    if (improved) position.best = { epoch: position.epoch, value: score };
    Object.assign(position, { stepInEpoch: 0, epochLoss: 0, epochItems: 0, epochMetrics: {} });
    position.seconds = secondsBefore + (performance.now() - began) / 1000;
    await options.onEpoch?.({
      epoch: position.epoch,
      step: trainer.step,
      trainLoss: meanLoss,
      trainMetrics: meanMetrics,
      learningRate,
      validation,
      improved,
      seconds: position.seconds,
    });
    await options.onPosition?.(position, "epoch");
    const stale = position.best === undefined ? 0 : position.epoch - position.best.epoch;
    if (patience > 0 && stale >= patience) return { end: "stopped early", position };
    if (signal?.aborted) return { end: "interrupted", position };
  }
  return { end: "finished", position };
}

function means({ epochLoss, epochItems, epochMetrics }: Position) {
  return {
    meanLoss: epochLoss / epochItems,
    meanMetrics: Object.fromEntries(Object.entries(epochMetrics).map(([name, sum]) => [name, sum / epochItems])),
  };
}

function diverged(step: number, { loss, gradientNorm }: StepResult): InputError {
  return new InputError(
    `the loss became ${loss} (gradient norm ${gradientNorm}) at step ${step + 1}; the checkpoint saved before it is kept: ` +
      "try a lower --learning-rate, a longer --warmup-epochs, or --clip-norm 1",
  );
}
