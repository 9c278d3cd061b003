import { type ImageDataset, type ImageSet, inMemoryImages } from "@tfjs-zoo/datasets";
import {
  type BitsMeasure,
  measureLines,
  measureSamples,
  type SampleMeasures,
  writeFileAtomic,
} from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  type Output,
  startBackendFor,
  threadsOption,
  UsageError,
  wholeNumber,
} from "../../context.ts";
import { checkFile, makerOptions } from "../sample/index.ts";
import { type ImageSource, imageSource, type MakerFlags } from "../sample/maker.ts";
import { pngOf, sheetOf } from "../sample/sheet.ts";
import { bitsLine, imagesLike } from "../test-set.ts";
import { nearestPairs, pairsShown } from "./neighbours.ts";
import { expectClasses, featureFiles, featureNetworks, sameClasses } from "./networks.ts";

interface MeasureFlags extends CommonFlags, Pick<MakerFlags, "steps" | "sampler" | "guidance"> {
  samples: string;
  seed: string;
  features?: string[];
  dataset?: string;
  bits?: boolean;
  out?: string;
}

export function registerMeasure(program: Command): void {
  const command = program
    .command("measure")
    .description(
      "how good, how diverse and how new the images are that a network makes, beside a data set's: FID, KID, precision, recall, classes, nearest training images",
    )
    .argument("<weights>", "NAME.TAG, a name with one published TAG, a run's folder or a .safetensors file")
    .option("--samples <n>", "how many images are made", "1000")
    .option("--seed <n>", "of what is drawn", "0")
    .option(
      "--features <weights...>",
      "whose features images are compared by: a classifier of the data set (default: the best that ships); also, with published weights, inception-v3-fid, which published FID is measured on",
    )
    .option("--dataset <name>", "another data set than the weights' own")
    .option("--bits", "diffusion: bits per dimension too, by the variational bound; takes minutes")
    .option("--out <file>", "a .png file: samples, and below each the training image that it is most like");
  makerOptions(command).addOption(backendOption()).addOption(threadsOption()).addOption(jsonOption()).action(measure);
}

async function measure(target: string, flags: MeasureFlags): Promise<void> {
  const output = createOutput(flags);
  const count = wholeNumber("--samples", flags.samples, 10, 100_000);
  const seed = wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1);
  await checkFile("--out", flags.out, [".png"]);
  const { steps, sampler, guidance } = flags;
  const source = await imageSource(target, { steps, sampler, guidance });
  if (flags.bits && !source.hasBits) {
    throw new UsageError(`--bits is for networks of diffusion, and ${target} is none: leave it out`);
  }
  const name = flags.dataset ?? source.info.dataset;
  const files = await featureFiles(flags.features ?? [], name);
  await startBackendFor(flags, output);
  const dataset = await imagesLike(source.info, name, output);
  expectClasses(files.classifier, dataset);

  const networks = featureNetworks(files);
  try {
    const { samples, bits } = await samplesOf(source, dataset, { count, seed, bits: flags.bits }, output);
    const measures = await measureSamples({
      samples,
      asked: source.classes !== undefined && sameClasses(source.classes, dataset.classes),
      real: { training: dataset.train, heldOut: dataset.test },
      classifier: networks.classifier,
      inception: networks.inception,
      seed,
      progress: output.progress.update,
    });
    const pairs = nearestPairs(measures);
    if (flags.out !== undefined) {
      const { images, columns } = await pairsShown(pairs, samples, dataset.train);
      await writeFileAtomic(flags.out, pngOf(sheetOf(images, samples.shape, columns)));
    }
    const made = { weights: target, dataset: dataset.name, seed, ...source.facts };
    output.result({ ...made, ...figuresOf(measures), nearest: pairs, bits, out: flags.out }, () =>
      [...measureLines(measures), ...(bits ? [bitsLine(bits)] : []), ...(flags.out ? [flags.out] : [])].join("\n"),
    );
  } finally {
    networks.dispose();
  }
}

/** Makes samples, of all classes alike where classes are told; their labels are what was asked for. */
async function samplesOf(
  source: ImageSource,
  dataset: ImageDataset,
  { count, seed, bits }: { count: number; seed: number; bits?: boolean },
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

/** What programs get: all figures, without a row for each sample. */
function figuresOf({ memorised, ...measures }: SampleMeasures) {
  const { pixels, features } = memorised;
  const told = ({ neighbours: _, ...figures }: typeof pixels) => figures;
  return { ...measures, memorised: { pixels: told(pixels), features: told(features) } };
}
