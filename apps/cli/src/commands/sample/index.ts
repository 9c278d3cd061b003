import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "@tfjs-zoo/models";
import { pictureOf, sheet } from "@tfjs-zoo/training/charts";
import { encodePng, taskOfFile, writeFileAtomic } from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  threadsOption,
  UsageError,
  wholeNumber,
} from "../../context.ts";
import { weightsFile } from "../../target.ts";
import { autoencoderImages, shows } from "./autoencoder.ts";
import { diffusionImages, samplerNames } from "./diffusion.ts";

export interface SampleFlags extends CommonFlags {
  out: string;
  grid: string;
  seed: string;
  // of autoencoders
  show?: string;
  // of networks of diffusion
  class?: string;
  steps?: string;
  sampler?: string;
  guidance?: string;
}

/** What is to be made. */
export interface Wanted {
  /** the file of weights, and what the user called it */
  path: string;
  target: string;
  rows: number;
  columns: number;
  seed: number;
}

/** Images: [rows · columns, height, width, channels], 0 to 1; and what a program would want to know of them. */
export interface Made {
  images: Float32Array;
  shape: readonly [number, number, number];
  facts: { [name: string]: unknown };
}

/** The grey between images, 0 to 255. */
const BETWEEN = 24;

export function registerSample(program: Command): void {
  program
    .command("sample")
    .description("a sheet of images that a network makes, as PNG")
    .argument("<weights>", "NAME.TAG, a name with one published TAG, a run's folder or a .safetensors file")
    .requiredOption("--out <file>", "a .png file")
    .option("--grid <rows x columns>", "how many images", "8x8")
    .option("--seed <n>", "of what is drawn", "0")
    .addOption(
      new Option(
        "--show <what>",
        "of an autoencoder: samples of its prior, ways from one to another, one number at a time, or test images and below each what became of it (default: samples)",
      ).choices(shows),
    )
    .option("--class <name>", "diffusion: what to make, by name or number (default: each row its own)")
    .option("--steps <n>", "diffusion: how often the network is asked (default: 50)")
    .addOption(new Option("--sampler <name>", "diffusion: how (default: ddim)").choices(samplerNames))
    .option("--guidance <w>", "diffusion: how far beyond what the network says of a class (default: 0)")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(sample);
}

const makers = { autoencoding: autoencoderImages, diffusion: diffusionImages };
const flagsOf = { autoencoding: ["show"], diffusion: ["class", "steps", "sampler", "guidance"] } as const;

async function sample(target: string, flags: SampleFlags): Promise<void> {
  const output = createOutput(flags);
  const grid = gridOf(flags.grid);
  const seed = wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1);
  await checkOut(flags.out);
  const path = await weightsFile(target);
  const task = await taskOfFile(path);
  if (task !== "autoencoding" && task !== "diffusion") {
    throw new InputError(`${target} makes no images: give weights of a network that does, such as a run of vae`);
  }
  for (const [of, names] of Object.entries(flagsOf)) {
    const given = names.find((name) => of !== task && flags[name] !== undefined);
    if (given) throw new UsageError(`--${given} means nothing to ${target}: leave it out`);
  }
  const { images, shape, facts } = await makers[task]({ path, target, ...grid, seed }, flags, output);
  const size = shape[0] * shape[1] * shape[2];
  const tiles = Array.from({ length: images.length / size }, (_, i) =>
    pictureOf(images.subarray(i * size, (i + 1) * size), shape),
  );
  const { pixels, height, width } = sheet(tiles, BETWEEN, grid.columns);
  await writeFileAtomic(flags.out, encodePng(pixels, [height, width, 3]));
  output.result({ out: flags.out, ...grid, seed, ...facts }, () => flags.out);
}

/** @throws UsageError for what is no grid, or too large for a picture to look at */
function gridOf(text: string): { rows: number; columns: number } {
  const [, rows, columns] = /^(\d{1,3})x(\d{1,3})$/.exec(text) ?? [];
  const grid = { rows: Number(rows), columns: Number(columns) };
  if (grid.rows >= 1 && grid.columns >= 1 && grid.rows * grid.columns <= 1024) return grid;
  throw new UsageError(`--grid got "${text}"; expected ROWSxCOLUMNS, as in 8x8, with 1024 images at most`);
}

/** @throws UsageError when the file can't be written or is no PNG, before anything is computed for it */
async function checkOut(out: string): Promise<void> {
  if (!out.toLowerCase().endsWith(".png")) throw new UsageError(`--out got "${out}"; expected a .png file`);
  const folder = await stat(dirname(out)).catch(() => undefined);
  if (!folder?.isDirectory()) throw new InputError(`--out ${out}: there is no folder ${dirname(out)}: make it first`);
}
