import { evaluationBatches, type ImageDataset } from "@tfjs-zoo/datasets";
import { type ClassifierInfo, type Evaluation, evaluate, type TestViews } from "@tfjs-zoo/training/node";
import type { Output } from "../context.ts";

/** Images a batch. */
const BATCH = 250;

/** What a classifier does on the whole test set of a data set, normalised as its own was. */
export function onTestSet(
  model: Parameters<typeof evaluate>[0],
  { inputShape, mean, std }: ClassifierInfo,
  { test }: ImageDataset,
  output: Output,
  views?: TestViews,
): Promise<Evaluation> {
  const batches = evaluationBatches({ set: test, mean, std, batchSize: BATCH });
  return evaluate(model, inputShape, batches, {
    views,
    onBatch: (done) => output.progress.update({ label: "testing", done, total: test.count, unit: "items" }),
  });
}
