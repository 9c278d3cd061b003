import type { ImageDataset } from "@tfjs-zoo/datasets";
import { confusionMatrix, type Evaluation, predictions } from "../tasks/classification.ts";
import type { ClassifierResult } from "./classifier-result.ts";
import { type ReportMistake, renderReport } from "./runs/report.ts";
import { reportHistory } from "./runs/report-history.ts";
import type { RunFolder } from "./runs/run-folder.ts";

const MISTAKES = 40;

/** The report of a finished run, as one HTML document. */
export async function classifierReport(
  run: RunFolder,
  dataset: ImageDataset,
  test: Evaluation,
  result: ClassifierResult,
): Promise<string> {
  const { classes } = dataset;
  const predicted = predictions(test, classes.length);
  const metrics = await run.readMetrics();
  const { dataSeconds, stepSeconds, seconds } = result;
  return renderReport({
    title: `${result.model} on ${result.dataset}`,
    summary: [
      { label: `test accuracy, ${test.images.toLocaleString("en")} images`, value: percent(result.accuracy) },
      { label: "test loss", value: result.loss.toFixed(4) },
      { label: "epochs", value: String(result.epochs) },
      { label: "training time", value: `${(result.seconds / 60).toFixed(1)} min` },
      { label: "images/s", value: result.itemsPerSecond.toFixed(0) },
    ],
    history: reportHistory(metrics),
    classes: [...classes],
    confusion: confusionMatrix(test, classes.length),
    mistakes: await surestMistakes(dataset, test, predicted),
    timing: { dataSeconds, stepSeconds, otherSeconds: Math.max(0, seconds - dataSeconds - stepSeconds) },
    config: run.config,
    env: await run.readEnvironment(),
  });
}

async function surestMistakes(dataset: ImageDataset, test: Evaluation, predicted: number[]): Promise<ReportMistake[]> {
  const { classes, shape } = dataset;
  const surest = predicted
    .map((said, index) => ({ index, said, probability: test.probabilities[index * classes.length + said] }))
    .filter(({ index, said }) => said !== test.labels[index])
    .sort((a, b) => b.probability - a.probability)
    .slice(0, MISTAKES);
  const size = shape[0] * shape[1] * shape[2];
  const pixels = new Uint8Array(surest.length * size);
  await dataset.test.read(
    surest.map(({ index }) => index),
    pixels,
  );
  return surest.map(({ index, said, probability }, i) => ({
    image: pixels.slice(i * size, (i + 1) * size),
    shape: [...shape],
    said: classes[said],
    probability,
    is: classes[test.labels[index]],
  }));
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
