import { join } from "node:path";
import type { EpochEvent, StepEvent } from "../loop/fit.ts";
import type { RunFolder } from "./runs/run-folder.ts";
import { EventWriter } from "./runs/tensorboard.ts";

/** Steps that one record is the mean of. */
const EVERY = 10;

/** Writes what a training does to metrics.jsonl and to TensorBoard: a record every ten steps and one an epoch. */
export class MetricsWriter {
  private readonly events: EventWriter;
  private sums = { loss: 0, items: 0, correct: 0, gradientNorm: 0, dataMs: 0, stepMs: 0, steps: 0 };

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
    sums.correct += event.metrics.correct ?? 0;
    sums.gradientNorm += event.gradientNorm;
    sums.dataMs += event.dataMs;
    sums.stepMs += event.stepMs;
    sums.steps++;
    if (event.step % EVERY !== 0) return;
    const { step, epoch, learningRate } = event;
    this.write(step, epoch, "train", {
      loss: sums.loss / sums.steps,
      accuracy: sums.correct / sums.items,
      learningRate,
      gradientNorm: sums.gradientNorm / sums.steps,
      dataMs: sums.dataMs / sums.steps,
      stepMs: sums.stepMs / sums.steps,
    });
    this.sums = { loss: 0, items: 0, correct: 0, gradientNorm: 0, dataMs: 0, stepMs: 0, steps: 0 };
  }

  epoch({ step, epoch, trainLoss, trainMetrics, validation, seconds }: EpochEvent): void {
    this.write(step, epoch, "epoch", { loss: trainLoss, accuracy: trainMetrics.correct, seconds });
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
