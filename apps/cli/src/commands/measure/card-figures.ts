import type { ImageDataset } from "@tfjs-zoo/datasets";
import type { CardMetric } from "@tfjs-zoo/models/weights";
import type { Output } from "../../context.ts";
import { imageSource } from "../sample/maker.ts";
import { measuredImages } from "./measured.ts";
import { bestClassifier } from "./networks.ts";

/** What a card says of samples; a figure's unit is in its name. */
export interface SampleFigures {
  /** what they are measured by */
  features: string;
  metrics: Omit<CardMetric, "epoch">[];
}

/**
 * The figures of a file's samples for its card, as `zoo measure` has them by default, but of so many; undefined where no
 * classifier of the data set ships.
 */
export async function sampleFigures(
  weights: string,
  dataset: ImageDataset,
  count: number,
  output: Output,
): Promise<SampleFigures | undefined> {
  const classifier = await bestClassifier(dataset.name);
  if (classifier === undefined) return undefined;
  const source = await imageSource(weights, {});
  const { measures } = await measuredImages(source, dataset, { classifier }, { count, seed: 0 }, output);
  const { fid, kid, precision, recall, density, coverage, classShares, confidence, asked } = measures;
  const values: [name: string, value: number][] = [
    [`FID, features of ${classifier.name}`, fid],
    ["KID", kid.mean],
    ["precision", precision],
    ["recall", recall],
    ["density", density],
    ["coverage", coverage],
    ["share of the rarest class", Math.min(...classShares)],
    ["share of the most frequent class", Math.max(...classShares)],
    ["confidence", confidence],
    ...(asked ? [["share of the class that was asked for", asked.right] as [string, number]] : []),
  ];
  return {
    features: classifier.name,
    metrics: values.map(([name, value]) => ({ name, value, dataset: dataset.name, split: "test", images: count })),
  };
}
