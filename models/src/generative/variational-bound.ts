import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import type { Random } from "../random.ts";
import { checkPrediction, denoised, type Prediction, posterior, qSample } from "./diffusion.ts";
import { logDiscretisedGaussian } from "./discretised-gaussian.ts";
import { alphaBarAt, type NoiseSchedule } from "./noise-schedule.ts";
import type { Denoise } from "./sampling.ts";

export interface BoundOptions {
  denoise: Denoise;
  schedule: NoiseSchedule;
  /** what the network predicts: the noise unless given */
  prediction?: Prediction;
  /** of the network's own steps, as its sampler has it */
  variance?: "posterior" | "beta";
  /** Puts what the network sees as the image into [−1, 1]; true unless given. */
  clip?: boolean;
  /** classes of the images, int32 [images], for a network that knows them */
  labels?: tf.Tensor1D;
  /** t = 0, which counts most, and so many others, drawn at random, in place of all T: the sum is right in the mean */
  times?: number;
  random: (...path: (string | number)[]) => Random;
  /** the number of the first image, where a set is measured in several batches */
  first?: number;
  /** Called after each time, and waited for. */
  onTime?(done: number, times: number): void | Promise<void>;
}

/** Bits per dimension (a channel of a pixel), of each image. */
export interface VariationalBound {
  /** the bound: L_T and all terms, or an estimate without bias */
  total: Float64Array;
  /** L_T, from how far the last x_t is from pure noise */
  prior: Float64Array;
  /** L_{t−1} of the paper, at the times that were asked for; at t = 0 its L_0, the decoder's */
  terms: { t: number; bits: Float64Array }[];
}

/**
 * The variational bound on an image's negative log-likelihood (Ho, Jain & Abbeel 2020, eq. 5): what a code that sends the
 * image by the network's steps would take.
 *
 *   L = L_T + Σ_{t>1} L_{t−1} + L_0
 *   L_T     = KL(q(x_T | x₀) ‖ N(0, I))
 *   L_{t−1} = KL(q(x_{t−1} | x_t, x₀) ‖ N(μ_θ(x_t), σ_t² I))
 *   L_0     = −log p_θ(x₀ | x_1), by the discretised Gaussian (eq. 13)
 *
 * One x_t is drawn for each image and time. The decoder's σ is β̃ of the second step, since that of the first is 0 (Ho's
 * code; Nichol & Dhariwal 2021, sec. 3.1).
 *
 * @param x0 [images, height, width, channels], of 256 values from −1 to 1
 * @throws InputError for times that are none
 */
export async function variationalBound(x0: tf.Tensor, options: BoundOptions): Promise<VariationalBound> {
  const { denoise, schedule, prediction = "epsilon", variance = "posterior", clip = true, labels, onTime } = options;
  checkPrediction(prediction);
  const times = timesOf(options);
  const prior = await priorBits(x0, schedule);
  const terms: VariationalBound["terms"] = [];
  const total = Float64Array.from(prior);
  for (const [i, { t, count }] of times.entries()) {
    const seen = tf.tidy(() => {
      const xt = qSample(schedule, x0, t, drawn(x0.shape, options, t));
      return denoised(prediction, schedule, { xt, output: denoise(xt, t, labels), t, clip }).x0;
    });
    const bits = await (t === 0 ? decoderBits(x0, seen, schedule) : stepBits(x0, seen, schedule, t, variance));
    seen.dispose();
    terms.push({ t, bits });
    for (const [n, own] of bits.entries()) total[n] += count * own;
    await onTime?.(i + 1, times.length);
  }
  return { total, prior, terms };
}

/**
 * Times, and for how many each stands: all, or 0 and others at random, one in each of as many parts. The parts grow with t,
 * since it is at little noise that terms are large and differ.
 */
function timesOf({ schedule: { steps: T }, times, random }: BoundOptions): { t: number; count: number }[] {
  if (times === undefined) return Array.from({ length: T }, (_, t) => ({ t, count: 1 }));
  if (!Number.isInteger(times) || times < 1 || times >= T) {
    throw new InputError(`the variational bound got ${times} time(s); expected an integer from 1 to ${T - 1}`);
  }
  const stream = random("times");
  const chosen = [{ t: 0, count: 1 }];
  let end = 0; // of the part before
  for (let i = 1; i <= times; i++) {
    const first = end + 1;
    end = Math.max(first, Math.floor((T - 1) * (i / times) ** 2));
    const count = end - first + 1;
    chosen.push({ t: first + stream.integer(count), count });
  }
  return chosen;
}

/** ε ~ N(0, I): an image's by its number. */
function drawn(shape: readonly number[], { random, first = 0 }: BoundOptions, t: number): tf.Tensor {
  const size = tf.util.sizeFromShape(shape.slice(1));
  const values = new Float32Array(shape[0] * size);
  for (let n = 0; n < shape[0]; n++) {
    const stream = random("bound", t, first + n);
    for (let i = 0; i < size; i++) values[n * size + i] = stream.normal();
  }
  return tf.tensor(values, [...shape]);
}

const bits = (nats: number): number => nats / Math.LN2;

/** KL(N(√ᾱ x₀, 1 − ᾱ) ‖ N(0, 1)) = ½ (ᾱ x₀² − ᾱ − log(1 − ᾱ)), the mean over an image */
async function priorBits(x0: tf.Tensor, schedule: NoiseSchedule): Promise<Float64Array> {
  const alphaBar = alphaBarAt(schedule, schedule.steps - 1);
  const squares = await imageMeans(() => tf.square(x0));
  return squares.map((square) => bits(0.5 * (alphaBar * square - alphaBar - Math.log1p(-alphaBar))));
}

/** KL(N(μ̃, β̃) ‖ N(μ_θ, σ²)) = ½ (log σ²/β̃ + (β̃ + (μ̃ − μ_θ)²) / σ² − 1), the mean over an image */
async function stepBits(
  x0: tf.Tensor,
  seen: tf.Tensor,
  schedule: NoiseSchedule,
  t: number,
  kind: "posterior" | "beta",
): Promise<Float64Array> {
  const { ofImage, variance, beta } = posterior(schedule, t);
  const own = kind === "beta" ? beta : variance; // σ²
  const errors = await imageMeans(() => tf.squaredDifference(x0, seen));
  return errors.map((error) => bits(0.5 * (Math.log(own / variance) + (variance + ofImage ** 2 * error) / own - 1)));
}

/** −log p_θ(x₀ | x_1), the mean over an image. In doubles: float32 has no tails. */
async function decoderBits(x0: tf.Tensor, seen: tf.Tensor, schedule: NoiseSchedule): Promise<Float64Array> {
  const deviation = Math.sqrt(schedule.posteriorVariance[1] ?? schedule.beta[0]);
  const [pixels, means] = await Promise.all([x0.data(), seen.data()]);
  const size = tf.util.sizeFromShape(x0.shape.slice(1));
  return Float64Array.from({ length: x0.shape[0] }, (_, n) => {
    let sum = 0;
    for (let i = n * size; i < (n + 1) * size; i++) sum -= logDiscretisedGaussian(pixels[i], means[i], deviation);
    return bits(sum / size);
  });
}

/** The mean of every image, [images]. */
async function imageMeans(of: () => tf.Tensor): Promise<Float64Array> {
  const means = tf.tidy(() => {
    const values = of();
    return tf.mean(tf.reshape(values, [values.shape[0], -1]), 1);
  });
  const found = Float64Array.from(await means.data());
  means.dispose();
  return found;
}
