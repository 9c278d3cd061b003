import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { drawLatents, InputError, interpolation, randomStream, traversal, type Vae } from "@tfjs-zoo/models";
import { pictureOf, sheet } from "@tfjs-zoo/training/charts";
import {
  type AutoencoderInfo,
  autoencoderFrom,
  drawnImages,
  encodePng,
  readAutoencoder,
  taskOfFile,
  writeFileAtomic,
} from "@tfjs-zoo/training/node";
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
} from "../context.ts";
import { expectFinite } from "../expect-finite.ts";
import { weightsFile } from "../target.ts";
import { testPictures } from "./test-set.ts";

const shows = ["samples", "interpolation", "traversal", "reconstructions"] as const;

interface SampleFlags extends CommonFlags {
  out: string;
  grid: string;
  seed: string;
  show: (typeof shows)[number];
}

export function registerSample(program: Command): void {
  program
    .command("sample")
    .description("a sheet of images that a network makes, as PNG")
    .argument("<weights>", "NAME.TAG, a name with one published TAG, a run's folder or a .safetensors file")
    .requiredOption("--out <file>", "a .png file")
    .option("--grid <rows x columns>", "how many images", "8x8")
    .addOption(
      new Option(
        "--show <what>",
        "of an autoencoder: samples of its prior, ways from one to another, one number at a time, or test images and below each what became of it",
      )
        .choices(shows)
        .default("samples"),
    )
    .option("--seed <n>", "of what is drawn", "0")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(sample);
}

async function sample(target: string, flags: SampleFlags): Promise<void> {
  const output = createOutput(flags);
  const grid = gridOf(flags.grid);
  const seed = wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1);
  await checkOut(flags.out);
  const path = await weightsFile(target);
  if ((await taskOfFile(path)) !== "autoencoding") {
    throw new InputError(`${target} makes no images: give weights of an autoencoder, such as a run of vae`);
  }
  const file = await readAutoencoder(path);
  await startBackendFor(flags, output);
  const vae = autoencoderFrom(file, path);
  try {
    const images = await imagesOf(vae, file.info, flags.show, { ...grid, seed, output });
    await writeSheet(flags.out, images, file.info.inputShape, grid.columns);
  } finally {
    vae.dispose();
  }
  const { rows, columns } = grid;
  output.result({ out: flags.out, show: flags.show, rows, columns, seed }, () => flags.out);
}

interface Grid {
  rows: number;
  columns: number;
}

/** @throws UsageError for what is no grid, or too large for a picture to look at */
function gridOf(text: string): Grid {
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

/** [rows · columns, height, width, channels], 0 to 1 */
async function imagesOf(
  vae: Vae,
  info: AutoencoderInfo,
  show: SampleFlags["show"],
  { rows, columns, seed, output }: Grid & { seed: number; output: Output },
): Promise<Float32Array> {
  const random = randomStream(seed, "sample");
  const draw = (count: number) => drawLatents(count, vae.latent, random);
  const decoded = (z: number[][]) => valuesOf(info, () => drawnImages(vae, tf.tensor2d(z, [z.length, vae.latent])));
  if (show === "samples") return decoded(draw(rows * columns));
  if (show === "interpolation") {
    if (columns < 2) throw new UsageError(`--show interpolation needs 2 columns at least, and --grid has ${columns}`);
    const ends = draw(2 * rows);
    return decoded(
      Array.from({ length: rows }, (_, row) => interpolation(ends[2 * row], ends[2 * row + 1], columns)).flat(),
    );
  }
  if (show === "traversal") {
    if (rows > vae.latent) {
      throw new UsageError(`--show traversal has a row for each of ${vae.latent} numbers, and --grid has ${rows} rows`);
    }
    const numbers = Array.from({ length: rows }, (_, row) => row);
    return decoded(traversal(draw(1)[0], numbers, columns));
  }
  return reconstructions(vae, info, { rows, columns }, output);
}

/** Rows of test images, and below each row what the autoencoder makes of it. */
async function reconstructions(
  vae: Vae,
  info: AutoencoderInfo,
  { rows, columns }: Grid,
  output: Output,
): Promise<Float32Array> {
  if (rows % 2 === 1) {
    throw new UsageError(`--show reconstructions needs an even number of rows, and --grid has ${rows}`);
  }
  const count = (rows / 2) * columns;
  const originals = await testPictures(info, count, output);
  const drawn = await valuesOf(info, () => {
    const [mean] = vae.encode.apply(tf.tensor4d(originals, [count, ...info.inputShape])) as tf.Tensor[];
    return drawnImages(vae, mean);
  });
  const row = originals.length / (rows / 2);
  const both = new Float32Array(2 * originals.length);
  for (let i = 0; i < rows / 2; i++) {
    both.set(originals.subarray(i * row, (i + 1) * row), 2 * i * row);
    both.set(drawn.subarray(i * row, (i + 1) * row), (2 * i + 1) * row);
  }
  return both;
}

/** @throws InputError where they are not finite: the weights are damaged */
async function valuesOf(info: AutoencoderInfo, images: () => tf.Tensor): Promise<Float32Array> {
  const made = tf.tidy(images);
  const values = (await made.data()) as Float32Array;
  made.dispose();
  expectFinite(values, info);
  return values;
}

/** The grey between images, 0 to 255. */
const BETWEEN = 24;

async function writeSheet(
  out: string,
  images: Float32Array,
  shape: readonly [number, number, number],
  columns: number,
): Promise<void> {
  const size = shape[0] * shape[1] * shape[2];
  const tiles = Array.from({ length: images.length / size }, (_, i) =>
    pictureOf(images.subarray(i * size, (i + 1) * size), shape),
  );
  const { pixels, height, width } = sheet(tiles, BETWEEN, columns);
  await writeFileAtomic(out, encodePng(pixels, [height, width, 3]));
}
