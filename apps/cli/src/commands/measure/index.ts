import { basename } from "node:path";
import { benchEnvironment, measureLines, type SampleMeasures, writeFileAtomic } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  startBackendFor,
  threadsOption,
  UsageError,
  wholeNumber,
} from "../../context.ts";
import { samplesFolder, saveResult } from "../bench/common.ts";
import { checkFile, makerOptions } from "../sample/index.ts";
import { imageSource, type MakerFlags } from "../sample/maker.ts";
import { pngOf, sheetOf } from "../sample/sheet.ts";
import { bitsLine, imagesLike } from "../test-set.ts";
import { measuredImages } from "./measured.ts";
import { nearestPairs, pairsShown } from "./neighbours.ts";
import { featureFiles } from "./networks.ts";

interface MeasureFlags extends CommonFlags, Pick<MakerFlags, "steps" | "sampler" | "guidance"> {
  samples: string;
  seed: string;
  features?: string[];
  dataset?: string;
  bits?: boolean;
  out?: string;
  save?: string | true;
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
    .option("--save [folder]", "keep the figures as a file (default: in test/bench/samples)")
    .option("--out <file>", "a .png file: samples, and below each the training image that it is most like");
  makerOptions(command).addOption(backendOption()).addOption(threadsOption()).addOption(jsonOption()).action(measure);
}

async function measure(target: string, flags: MeasureFlags): Promise<void> {
  const output = createOutput(flags);
  const count = wholeNumber("--samples", flags.samples, 10, 100_000);
  const seed = wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1);
  await checkFile("--out", flags.out, [".png"]);
  const { steps, sampler, guidance } = flags;
  const folder = samplesFolder(flags.save);
  const source = await imageSource(target, { steps, sampler, guidance });
  if (flags.bits && !source.hasBits) {
    throw new UsageError(`--bits is for networks of diffusion, and ${target} is none: leave it out`);
  }
  const name = flags.dataset ?? source.info.dataset;
  const files = await featureFiles(flags.features ?? [], name);
  const { device } = await startBackendFor(flags, output);
  const dataset = await imagesLike(source.info, name, output);
  const options = { count, seed, bits: flags.bits };
  const { samples, measures, bits } = await measuredImages(source, dataset, files, options, output);
  const pairs = nearestPairs(measures);
  if (flags.out !== undefined) {
    const { images, columns } = await pairsShown(pairs, samples, dataset.train);
    await writeFileAtomic(flags.out, pngOf(sheetOf(images, samples.shape, columns)));
  }
  const made = { weights: target, dataset: dataset.name, seed, ...source.facts };
  await saveResult(folder, [basename(target), ...Object.values(source.facts).map(String)], {
    ...{ ...made, ...figuresOf(measures), bits, environment: benchEnvironment(device) },
  });
  output.result({ ...made, ...figuresOf(measures), nearest: pairs, bits, out: flags.out }, () =>
    [...measureLines(measures), ...(bits ? [bitsLine(bits)] : []), ...(flags.out ? [flags.out] : [])].join("\n"),
  );
}

/** What programs get: all figures, without a row for each sample. */
function figuresOf({ memorised, ...measures }: SampleMeasures) {
  const { pixels, features } = memorised;
  const told = ({ neighbours: _, ...figures }: typeof pixels) => figures;
  return { ...measures, memorised: { pixels: told(pixels), features: told(features) } };
}
