import type { ImageDataset } from "@tfjs-zoo/datasets";
import type { CardMetric } from "@tfjs-zoo/models/weights";
import type { Output } from "../../context.ts";
import { type ImageSource, imageSource, type MakerFlags } from "../sample/maker.ts";
import { measuredImages } from "./measured.ts";
import { bestClassifier } from "./networks.ts";

/** What a card says of samples; a figure's unit is in its name. */
export interface SampleFigures {
  /** what they are measured by */
  features: string;
  metrics: Omit<CardMetric, "epoch">[];
}

const ASKED = "share of the class that was asked for";

/** w of guidance with which samples of a class are asked for. */
const GUIDANCE = 2;

/**
 * The figures of a file's samples for its card, as `zoo measure` has them by default, but of so many, and where guidance
 * is possible what it does for the class that is asked for; undefined where no classifier of the data set ships.
 */
export async function sampleFigures(
  weights: string,
  dataset: ImageDataset,
  count: number,
  output: Output,
): Promise<SampleFigures | undefined> {
  const classifier = await bestClassifier(dataset.name);
  if (classifier === undefined) return undefined;
  const measured = async (flags: MakerFlags) => {
    const source = await imageSource(weights, flags);
    const { measures } = await measuredImages(source, dataset, { classifier }, { count, seed: 0 }, output);
    return { source, measures };
  };
  const { source, measures } = await measured({});
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
    ...(asked ? [[ASKED, asked.right] as [string, number]] : []),
  ];
  const metric = (name: string, value: number, facts: ImageSource["facts"]) => ({
    ...{ name, value, dataset: dataset.name, split: "test", images: count },
    ...(facts.sampler === undefined ? {} : { how: howMade(facts) }),
  });
  const metrics = values.map(([name, value]) => metric(name, value, source.facts));
  if (source.facts.guidance !== undefined) {
    const guided = await measured({ guidance: String(GUIDANCE) });
    if (guided.measures.asked) metrics.push(metric(ASKED, guided.measures.asked.right, guided.source.facts));
  }
  return { features: classifier.name, metrics };
}

/** "ddim, 50 steps, guidance 2" */
function howMade({ sampler, steps, guidance }: ImageSource["facts"]): string {
  return [sampler, `${steps} steps`, ...(guidance ? [`guidance ${guidance}`] : [])].join(", ");
}
