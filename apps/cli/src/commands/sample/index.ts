import { stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { InputError } from "@tfjs-zoo/models";
import { writeFileAtomic } from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
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
import { type Animation, animated, animationOf, stepsKept, ways } from "./animation.ts";
import { samplerNames } from "./diffusion.ts";
import { classAsked, type ImageMaker, type ImageSource, imageSource, type MakerFlags } from "./maker.ts";
import { pngOf, sheetOf } from "./sheet.ts";
import { imagesShown, labelsByRow, shows, type Wanted } from "./shows.ts";

interface SampleFlags extends CommonFlags, MakerFlags {
  out?: string;
  animate?: string;
  grid: string;
  seed: string;
}

export function registerSample(program: Command): void {
  const command = program
    .command("sample")
    .description("a sheet of images that a network makes, as PNG, or as an animation of how they come about")
    .argument("<weights>", "NAME.TAG, a name with one published TAG, a run's folder or a .safetensors file")
    .option("--out <file>", "a .png file")
    .option(
      "--animate <file>",
      "a .gif or .webp file: noise that becomes images, or images that change on ways through the space that they come from",
    )
    .option("--grid <rows x columns>", "how many images", "8x8")
    .option("--seed <n>", "of what is drawn", "0")
    .addOption(
      new Option(
        "--show <what>",
        "of an autoencoder or a GAN: samples, ways from one to another, or one number at a time; of an autoencoder also test images and below each what became of it (default: samples)",
      ).choices(shows),
    )
    .option(
      "--class <name>",
      "of networks that are told classes: what to make, by name or number (default: each row its own)",
    );
  makerOptions(command).addOption(backendOption()).addOption(threadsOption()).addOption(jsonOption()).action(sample);
}

/** Flags that say how images are made, whatever is done with them. */
export function makerOptions(command: Command): Command {
  return command
    .option("--steps <n>", "diffusion: how often the network is asked (default: 50)")
    .addOption(new Option("--sampler <name>", "diffusion: how (default: ddim)").choices(samplerNames))
    .option("--guidance <w>", "diffusion: how far beyond what the network says of a class (default: 0)");
}

async function sample(target: string, flags: SampleFlags): Promise<void> {
  const output = createOutput(flags);
  const grid = gridOf(flags.grid);
  const seed = wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1);
  if (flags.out === undefined && flags.animate === undefined) {
    throw new UsageError("sample needs a file to write: --out sheet.png, or --animate FILE.gif");
  }
  await checkFile("--out", flags.out, [".png"]);
  await checkFile("--animate", flags.animate, animated);
  const source = await imageSource(target, flags);
  const labels = labelsOf(source, grid, target, flags);
  if (flags.show === "reconstructions" && !source.readsImages) {
    throw new UsageError(`--show reconstructions means nothing to ${target}: it reads no images`);
  }
  await startBackendFor(flags, output);
  const maker = source.build();
  const wanted: Wanted = { ...grid, seed, labels };
  try {
    // Both are whole before either is written.
    const { images, animation } = await made(source, maker, wanted, flags, output);
    const { inputShape: shape } = source.info;
    if (animation !== undefined) {
      const pictures = animation.frames.map((frame) => sheetOf(frame, shape, grid.columns));
      const file = flags.animate as string;
      await writeFileAtomic(file, await animationOf(pictures, animation.delays, kindOf(file)));
    }
    if (images !== undefined) await writeFileAtomic(flags.out as string, pngOf(sheetOf(images, shape, grid.columns)));
  } finally {
    maker.dispose();
  }
  const files = [flags.out, flags.animate].filter((file) => file !== undefined);
  const { out, animate, show } = flags;
  output.result({ out, animate, ...grid, seed, show, ...source.facts, classes: labels }, () => files.join("\n"));
}

/** What is to be on the sheet, and what is to move. */
async function made(
  source: ImageSource,
  maker: ImageMaker,
  wanted: Wanted,
  { out, animate, show }: SampleFlags,
  output: Output,
): Promise<{ images?: Float32Array; animation?: Animation }> {
  const [height, width, channels] = source.info.inputShape;
  const size = height * width * channels;
  const { latent } = maker;
  if (animate !== undefined && latent === undefined) {
    const { onStep, kept } = stepsKept(wanted.rows * wanted.columns, size);
    const images = await imagesShown("samples", source, maker, wanted, output, onStep);
    return { images: out === undefined ? undefined : images, animation: kept() };
  }
  const moves = show ?? "interpolation";
  if (animate !== undefined && moves !== "interpolation" && moves !== "traversal") {
    throw new UsageError(`nothing moves in --show ${moves}: --animate shows interpolation or traversal`);
  }
  return {
    ...(out && { images: await imagesShown(show ?? "samples", source, maker, wanted, output) }),
    ...(animate && latent && { animation: await ways(moves, latent, wanted, size) }),
  };
}

/** The class of each image: the one that is asked for, or each row's own; undefined for a network that is told none. */
function labelsOf(
  { classes }: ImageSource,
  { rows, columns }: { rows: number; columns: number },
  target: string,
  { class: asked }: SampleFlags,
): number[] | undefined {
  if (asked !== undefined) return new Array<number>(rows * columns).fill(classAsked(asked, classes, target));
  return classes && labelsByRow(rows, columns, classes.length);
}

/** @throws UsageError for what is no grid, or too large for a picture to look at */
function gridOf(text: string): { rows: number; columns: number } {
  const [, rows, columns] = /^(\d{1,3})x(\d{1,3})$/.exec(text) ?? [];
  const grid = { rows: Number(rows), columns: Number(columns) };
  if (grid.rows >= 1 && grid.columns >= 1 && grid.rows * grid.columns <= 1024) return grid;
  throw new UsageError(`--grid got "${text}"; expected ROWSxCOLUMNS, as in 8x8, with 1024 images at most`);
}

const kindOf = (file: string): string => extname(file).toLowerCase();

/** @throws UsageError when a file can't be written or is of another kind, before anything is computed for it */
export async function checkFile(flag: string, file: string | undefined, kinds: readonly string[]): Promise<void> {
  if (file === undefined) return;
  if (!kinds.includes(kindOf(file))) {
    throw new UsageError(`${flag} got "${file}"; expected a ${kinds.join(" or ")} file`);
  }
  const folder = await stat(dirname(file)).catch(() => undefined);
  if (!folder?.isDirectory())
    throw new InputError(`${flag} ${file}: there is no folder ${dirname(file)}: make it first`);
}
