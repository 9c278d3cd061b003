import { type ImageDataset, type ImageSet, inMemoryImages } from "@tfjs-zoo/datasets";
import { type BitsMeasure, measureSamples, type SampleMeasures } from "@tfjs-zoo/training/node";
import type { Output } from "../../context.ts";
import type { ImageSource } from "../sample/maker.ts";
import { expectClasses, type FeatureFiles, featureNetworks, sameClasses } from "./networks.ts";

/** How many samples are made, and what is told of them. */
export interface MeasureOptions {
  count: number;
  seed: number;
  /** diffusion: bits per dimension too */
  bits?: boolean;
}

/** Images of a network beside a data set's. */
export interface MeasuredImages {
  samples: ImageSet;
  measures: SampleMeasures;
  bits?: BitsMeasure;
}

/**
 * Makes samples and measures them beside a data set's test images. A backend has to run.
 *
 * @throws InputError where the classifier tells other classes apart than the data set has
 */
export async function measuredImages(
  source: ImageSource,
  dataset: ImageDataset,
  files: FeatureFiles,
  options: MeasureOptions,
  output: Output,
): Promise<MeasuredImages> {
  expectClasses(files.classifier, dataset);
  const networks = featureNetworks(files);
  try {
    const { samples, bits } = await samplesOf(source, dataset, options, output);
    const measures = await measureSamples({
      samples,
      asked: source.classes !== undefined && sameClasses(source.classes, dataset.classes),
      real: { training: dataset.train, heldOut: dataset.test },
      classifier: networks.classifier,
      inception: networks.inception,
      seed: options.seed,
      progress: output.progress.update,
    });
    return { samples, measures, bits };
  } finally {
    networks.dispose();
  }
}

/** Makes samples, of all classes alike where classes are told; their labels are what was asked for. */
async function samplesOf(
  source: ImageSource,
  dataset: ImageDataset,
  { count, seed, bits }: MeasureOptions,
  output: Output,
): Promise<{ samples: ImageSet; bits?: BitsMeasure }> {
  const { inputShape: shape } = source.info;
  const classes = source.classes?.length ?? 0;
  const labels = classes > 0 ? Array.from({ length: count }, (_, i) => i % classes) : undefined;
  const maker = source.build();
  try {
    const pixels = new Uint8Array(count * shape[0] * shape[1] * shape[2]);
    let at = 0;
    for await (const batch of maker.make({
      count,
      seed,
      ...(labels && { labels }),
      progress: output.progress.update,
    })) {
      for (const value of batch) pixels[at++] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
    return {
      samples: inMemoryImages(pixels, Uint16Array.from(labels ?? new Array<number>(count).fill(0)), shape),
      bits: bits ? await maker.bits?.(dataset, output) : undefined,
    };
  } finally {
    maker.dispose();
  }
}
