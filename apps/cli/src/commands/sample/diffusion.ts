import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { type Guidance, noiseSchedule, randomStream, type SamplerName, samplers, unetDenoiser } from "@tfjs-zoo/models";
import { type DiffusionInfo, diffusionFrom, readDiffusion } from "@tfjs-zoo/training/node";
import { UsageError, wholeNumber } from "../../context.ts";
import { expectFinite } from "../../expect-finite.ts";
import { bitsOnTestImages } from "../test-set.ts";
import type { ImageSource, MakerFlags, Order } from "./maker.ts";

export const samplerNames = Object.keys(samplers) as SamplerName[];

/** Times that a network is asked unless said: DDIM's images are hardly better with more. */
const STEPS = 50;

/** Images that are made at a time. */
const BATCH = 64;

/** How noise becomes images. */
interface Sampling {
  sampler: SamplerName;
  steps: number;
  /** w of guidance */
  strength: number;
}

/** Reads a network of diffusion, which makes images out of noise. */
export async function diffusionSource(path: string, target: string, flags: MakerFlags): Promise<ImageSource> {
  const file = await readDiffusion(path);
  const { info } = file;
  const { classes, times } = info;
  const sampling: Sampling = {
    sampler: (flags.sampler ?? "ddim") as SamplerName,
    steps: wholeNumber("--steps", flags.steps ?? String(Math.min(STEPS, times)), 1, times),
    strength: strengthOf(flags, info, target),
  };
  const { sampler, steps, strength } = sampling;
  return {
    ...{ info, classes, hasBits: true },
    facts: { sampler, steps, ...(classes && { guidance: strength }) },
    build: () => {
      const model = diffusionFrom(file, path);
      return {
        make: (order) => denoised(model, info, sampling, order),
        bits: (dataset, output) => bitsOnTestImages(model, info, dataset, output),
        dispose: () => model.dispose(),
      };
    },
  };
}

async function* denoised(
  model: tfl.LayersModel,
  info: DiffusionInfo,
  { sampler, steps, strength }: Sampling,
  { count, seed, labels, progress, onStep }: Order,
): AsyncGenerator<Float32Array> {
  const schedule = noiseSchedule(info.noise, info.times);
  const total = steps * Math.ceil(count / BATCH);
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first);
    const of = labels?.slice(first, first + size);
    const guidance: Guidance | undefined = of && { labels: of, classes: info.classes?.length ?? 0, strength };
    const made: tf.Tensor = await samplers[sampler]({
      ...{ denoise: unetDenoiser(model), schedule, shape: [size, ...info.inputShape], steps, first },
      ...{ prediction: info.prediction, guidance },
      random: (...where) => randomStream(seed, "sample", ...where),
      async onStep({ step, x }) {
        progress({ label: "taking noise away", done: step + (first / BATCH) * steps, total, unit: "items" });
        await onStep?.({ step, steps, first, images: () => imagesOf(x) });
      },
    });
    const images = await imagesOf(made);
    made.dispose();
    expectFinite(images, info);
    yield images;
  }
}

/** [−1, 1] -> [0, 1] */
const imagesOf = async (x: tf.Tensor): Promise<Float32Array> =>
  ((await x.data()) as Float32Array).map((value) => (value + 1) / 2);

function strengthOf({ guidance }: MakerFlags, { classes }: DiffusionInfo, target: string): number {
  if (guidance === undefined) return 0;
  if (classes === undefined) {
    throw new UsageError(`--guidance ${guidance}: ${target} was trained without classes: leave it out`);
  }
  const strength = guidance.trim() === "" ? Number.NaN : Number(guidance);
  if (strength >= 0 && strength <= 100) return strength;
  throw new UsageError(`--guidance got "${guidance}"; expected a number from 0 to 100`);
}
