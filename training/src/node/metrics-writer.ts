import { join } from "node:path";
import type { EpochEvent, StepEvent } from "../loop/fit.ts";
import type { RunFolder } from "./runs/run-folder.ts";
import { EventWriter } from "./runs/tensorboard.ts";

/** Steps that one record is the mean of. */
const EVERY = 10;

/** Writes what a training does to metrics.jsonl and to TensorBoard: a record every ten steps and one an epoch. */
export class MetricsWriter {
  private readonly events: EventWriter;
  private sums = nothing();

  /** @param resumedAt the step of the checkpoint that a resumed run continues from */
  constructor(
    private readonly run: RunFolder,
    resumedAt?: number,
  ) {
    this.events = new EventWriter(join(run.dir, "tensorboard"), { resumedAt });
  }

  step(event: StepEvent): void {
    const { sums } = this;
    sums.loss += event.loss;
    sums.items += event.items;
    for (const [name, value] of Object.entries(event.metrics)) sums.metrics[name] = (sums.metrics[name] ?? 0) + value;
    sums.gradientNorm += event.gradientNorm;
    sums.dataMs += event.dataMs;
    sums.stepMs += event.stepMs;
    sums.steps++;
    if (event.step % EVERY !== 0) return;
    const { step, epoch, learningRate } = event;
    this.write(step, epoch, "train", {
      loss: sums.loss / sums.steps,
      ...shares(Object.fromEntries(Object.entries(sums.metrics).map(([name, sum]) => [name, sum / sums.items]))),
      learningRate,
      gradientNorm: sums.gradientNorm / sums.steps,
      dataMs: sums.dataMs / sums.steps,
      stepMs: sums.stepMs / sums.steps,
    });
    this.sums = nothing();
  }

  epoch({ step, epoch, trainLoss, trainMetrics, validation, seconds }: EpochEvent): void {
    this.write(step, epoch, "epoch", { loss: trainLoss, ...shares(trainMetrics), seconds });
    if (validation) this.write(step, epoch, "validation", validation);
    this.events.flush();
  }

  private write(step: number, epoch: number, kind: string, values: { [name: string]: number }): void {
    this.run.appendMetrics({ kind, step, epoch, ...values });
    for (const [name, value] of Object.entries(values)) this.events.scalar(`${kind}/${name}`, value, step);
  }

  close(): void {
    this.events.close();
  }
}

const nothing = () => ({
  loss: 0,
  items: 0,
  metrics: {} as { [name: string]: number },
  gradientNorm: 0,
  dataMs: 0,
  stepMs: 0,
  steps: 0,
});

/** Means of a task's metrics by the names that records have for them. */
function shares(means: { [name: string]: number }): { [name: string]: number } {
  return Object.fromEntries(
    Object.entries(means).map(([name, mean]) => [name === "correct" ? "accuracy" : name, mean]),
  );
}
