import type { ReportHistory } from "./report.ts";

/** Points of a curve: more than a screen has pixels for says nothing. */
const POINTS = 500;

/** The curves of a report from a run's records. */
export function reportHistory(metrics: readonly Record<string, number | string>[]): ReportHistory[] {
  const number = (value: number | string | undefined) => (value === undefined ? undefined : Number(value));
  const steps = metrics.filter(({ kind }) => kind === "train");
  const stride = Math.ceil(steps.length / POINTS);
  const train = steps
    .filter((_, i) => i % stride === 0)
    .map((record) => ({
      step: Number(record.step),
      epoch: Number(record.epoch),
      trainLoss: Number(record.loss),
      trainAccuracy: number(record.accuracy),
      learningRate: Number(record.learningRate),
      gradientNorm: Number(record.gradientNorm),
    }));
  const validation = metrics
    .filter(({ kind }) => kind === "validation")
    .map((record) => ({
      step: Number(record.step),
      epoch: Number(record.epoch),
      validationLoss: Number(record.loss),
      validationAccuracy: number(record.accuracy),
    }));
  return [...train, ...validation].sort((a, b) => a.step - b.step);
}
