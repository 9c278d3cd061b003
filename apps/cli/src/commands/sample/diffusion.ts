import type * as tf from "@tensorflow/tfjs-core";
import { type Guidance, noiseSchedule, randomStream, type SamplerName, samplers, unetDenoiser } from "@tfjs-zoo/models";
import { type DiffusionInfo, diffusionFrom, readDiffusion } from "@tfjs-zoo/training/node";
import { closest } from "fastest-levenshtein";
import { type Output, startBackendFor, UsageError, wholeNumber } from "../../context.ts";
import { expectFinite } from "../../expect-finite.ts";
import type { Made, SampleFlags, Wanted } from "./index.ts";

export const samplerNames = Object.keys(samplers) as SamplerName[];

/** Times that a network is asked unless said: DDIM's images are hardly better with more. */
const STEPS = 50;

/** Images that are made at a time. */
const BATCH = 64;

/** Images that a network of diffusion makes. */
export async function diffusionImages(wanted: Wanted, flags: SampleFlags, output: Output): Promise<Made> {
  const { path, target, rows, columns, seed } = wanted;
  const file = await readDiffusion(path);
  const { info } = file;
  const { inputShape: shape } = info;
  const steps = wholeNumber("--steps", flags.steps ?? String(Math.min(STEPS, info.times)), 1, info.times);
  const labels = labelsOf(info, wanted, flags);
  const strength = strengthOf(flags, info, target);
  const sampler = (flags.sampler ?? "ddim") as SamplerName;
  await startBackendFor(flags, output);
  const model = diffusionFrom(file, path);
  const schedule = noiseSchedule(info.noise, info.times);
  const count = rows * columns;
  const images = new Float32Array(count * shape[0] * shape[1] * shape[2]);
  try {
    for (let first = 0; first < count; first += BATCH) {
      const size = Math.min(BATCH, count - first);
      const of = labels?.slice(first, first + size);
      const guidance: Guidance | undefined = of && { labels: of, classes: info.classes?.length ?? 0, strength };
      const made: tf.Tensor = await samplers[sampler]({
        ...{ denoise: unetDenoiser(model), schedule, shape: [size, ...shape], steps, first },
        ...{ prediction: info.prediction, guidance },
        random: (...where) => randomStream(seed, "sample", ...where),
        onStep: ({ step }) => {
          const total = steps * Math.ceil(count / BATCH);
          const done = step + (first / BATCH) * steps;
          output.progress.update({ label: "taking noise away", done, total, unit: "items" });
        },
      });
      const values = await made.data();
      made.dispose();
      images.set(
        values.map((value) => (value + 1) / 2),
        (first * images.length) / count,
      );
    }
  } finally {
    model.dispose();
  }
  expectFinite(images, info);
  return { images, shape, facts: { sampler, steps, ...(labels && { classes: labels, guidance: strength }) } };
}

/** The class of each image: the one that is asked for, or each row's own; undefined for a network that knows none. */
function labelsOf(
  { classes }: DiffusionInfo,
  { rows, columns, target }: Wanted,
  { class: asked }: SampleFlags,
): number[] | undefined {
  if (classes === undefined) {
    if (asked === undefined) return undefined;
    throw new UsageError(`--class ${asked}: ${target} was trained without classes: leave it out`);
  }
  if (asked === undefined) {
    return Array.from({ length: rows * columns }, (_, i) => Math.floor(i / columns) % classes.length);
  }
  const label = /^\d+$/.test(asked) && !classes.includes(asked) ? Number(asked) : classes.indexOf(asked);
  if (label < 0 || label >= classes.length) {
    throw new UsageError(
      `--class got "${asked}": did you mean "${closest(asked, [...classes])}"? (there are: ${classes.join(", ")}; or 0 to ${classes.length - 1})`,
    );
  }
  return new Array<number>(rows * columns).fill(label);
}

function strengthOf({ guidance }: SampleFlags, { classes }: DiffusionInfo, target: string): number {
  if (guidance === undefined) return 0;
  if (classes === undefined) {
    throw new UsageError(`--guidance ${guidance}: ${target} was trained without classes: leave it out`);
  }
  const strength = guidance.trim() === "" ? Number.NaN : Number(guidance);
  if (strength >= 0 && strength <= 100) return strength;
  throw new UsageError(`--guidance got "${guidance}"; expected a number from 0 to 100`);
}
