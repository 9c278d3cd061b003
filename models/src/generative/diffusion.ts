/**
 * Diffusion (Ho, Jain & Abbeel 2020, "Denoising diffusion probabilistic models"): noise is added to an image step by step
 * until nothing else is left, and a network learns to tell the noise, so that it can be taken away again. Here are the
 * formulas that training, sampling and the variational bound share.
 *
 * A network's output is read in one of three ways, which say the same of an image x_t:
 *
 *   epsilon   ε, the noise (Ho, eq. 12)
 *   x0        x₀, the image
 *   v         v = √ᾱ_t ε − √(1 − ᾱ_t) x₀ (Salimans & Ho 2022, "Progressive distillation", sec. 4 and app. D)
 */
import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { alphaBarAt, type NoiseSchedule, signalToNoise } from "./noise-schedule.ts";

export const predictions = ["epsilon", "x0", "v"] as const;

export type Prediction = (typeof predictions)[number];

/** The time of a batch, of all its images or of each: indices of the schedule. */
export type Times = number | ArrayLike<number>;

/**
 * Adds noise to images: x_t = √ᾱ_t x₀ + √(1 − ᾱ_t) ε (Ho, eq. 4).
 *
 * @param x0 [batch, ...]  @param noise ε ~ N(0, I), the shape of x0
 * @returns the shape of x0
 */
export function qSample(schedule: NoiseSchedule, x0: tf.Tensor, t: Times, noise: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const { signal, spread } = mixture(schedule, t, x0);
    return tf.add(tf.mul(x0, signal), tf.mul(noise, spread));
  });
}

/**
 * What the network is to say of x_t.
 *
 * @param x0 [batch, ...]  @param noise ε, the shape of x0
 * @returns the shape of x0; the caller's to dispose
 */
export function targetOf(
  prediction: Prediction,
  schedule: NoiseSchedule,
  { x0, noise, t }: { x0: tf.Tensor; noise: tf.Tensor; t: Times },
): tf.Tensor {
  if (prediction === "epsilon") return tf.clone(noise);
  if (prediction === "x0") return tf.clone(x0);
  return tf.tidy(() => {
    const { signal, spread } = mixture(schedule, t, x0);
    return tf.sub(tf.mul(noise, signal), tf.mul(x0, spread));
  });
}

/** What a network's output says of x_t. */
export interface Denoised {
  /** the image */
  x0: tf.Tensor;
  /** the noise */
  epsilon: tf.Tensor;
}

/**
 * The image and the noise that a network's output tells.
 *
 * @param xt [batch, ...]  @param output of the network, the shape of xt
 * @param clip puts the image into [−1, 1], where all images are, and tells the noise that goes with it
 * @returns both in the shape of xt, the caller's to dispose
 */
export function denoised(
  prediction: Prediction,
  schedule: NoiseSchedule,
  { xt, output, t, clip = false }: { xt: tf.Tensor; output: tf.Tensor; t: Times; clip?: boolean },
): Denoised {
  return tf.tidy(() => {
    const { signal, spread } = mixture(schedule, t, xt);
    const noiseOf = (x0: tf.Tensor) => tf.div(tf.sub(xt, tf.mul(x0, signal)), spread);
    const read: { [name in Prediction]: () => Denoised } = {
      epsilon: () => ({ x0: tf.div(tf.sub(xt, tf.mul(output, spread)), signal), epsilon: tf.clone(output) }),
      x0: () => ({ x0: tf.clone(output), epsilon: noiseOf(output) }),
      v: () => ({
        x0: tf.sub(tf.mul(xt, signal), tf.mul(output, spread)),
        epsilon: tf.add(tf.mul(xt, spread), tf.mul(output, signal)),
      }),
    };
    const { x0, epsilon } = read[prediction]();
    if (!clip) return { x0, epsilon };
    const within = tf.clipByValue(x0, -1, 1);
    return { x0: within, epsilon: noiseOf(within) };
  }) as unknown as Denoised;
}

/** A step back from time t to an earlier time s, where the image is known: q(x_s | x_t, x₀) (Ho, eq. 6 and 7). */
export interface Posterior {
  /** its mean is `ofImage` x₀ + `ofNoisy` x_t */
  ofImage: number;
  ofNoisy: number;
  /** β̃: its variance */
  variance: number;
  /** β: variance of the noise from s to t, the larger choice for the network's own step (Ho, sec. 3.2) */
  beta: number;
}

/**
 * q(x_s | x_t, x₀). With s = t − 1 this is the paper's; a sampler of fewer steps has times between left out (Nichol &
 * Dhariwal 2021, eq. 19).
 *
 * @param s before t; −1 is the image itself
 */
export function posterior(schedule: NoiseSchedule, t: number, s = t - 1): Posterior {
  if (s >= t) throw new InputError(`a step back from time ${t} got the time ${s}; expected an earlier one`);
  const [now, before] = [alphaBarAt(schedule, t), alphaBarAt(schedule, s)];
  const alpha = now / before; // 1 − β
  return {
    ofImage: (Math.sqrt(before) * (1 - alpha)) / (1 - now),
    ofNoisy: (Math.sqrt(alpha) * (1 - before)) / (1 - now),
    variance: ((1 - before) / (1 - now)) * (1 - alpha),
    beta: 1 - alpha,
  };
}

/**
 * What an image's squared error counts for, so that no time rules the others (Hang et al. 2023, "Efficient diffusion
 * training via min-SNR weighting strategy", sec. 3.4): min(SNR, γ) of the error in x₀, as an error of what is predicted.
 *
 * @param gamma γ; 5 in the paper
 */
export function minSnrWeight(prediction: Prediction, schedule: NoiseSchedule, t: number, gamma: number): number {
  const snr = signalToNoise(schedule, t);
  // The squared error of what is predicted is so many times that in x₀.
  const perPrediction = { epsilon: snr, x0: 1, v: snr + 1 };
  return Math.min(snr, gamma) / perPrediction[prediction];
}

/**
 * @throws InputError for a name that is none
 */
export function checkPrediction(prediction: Prediction): void {
  if (!predictions.includes(prediction)) {
    throw new InputError(`unknown prediction "${prediction}": expected one of ${predictions.join(", ")}`);
  }
}

/** √ᾱ_t and √(1 − ᾱ_t): numbers, or [batch, 1, …] where each image has a time of its own. */
function mixture(schedule: NoiseSchedule, t: Times, { shape }: tf.Tensor) {
  const of = (f: (alphaBar: number) => number): number | tf.Tensor =>
    typeof t === "number" ? f(alphaBarAt(schedule, t)) : eachImage(t, (time) => f(alphaBarAt(schedule, time)), shape);
  return { signal: of(Math.sqrt), spread: of((alphaBar) => Math.sqrt(1 - alphaBar)) };
}

/**
 * A number of every image, to be multiplied with images.
 *
 * @param shape of the images, [batch, ...]
 * @returns [batch, 1, …]
 */
export function eachImage(t: ArrayLike<number>, of: (t: number) => number, shape: readonly number[]): tf.Tensor {
  if (t.length !== shape[0]) throw new InputError(`${shape[0]} image(s) got ${t.length} time(s); expected one each`);
  return tf.tensor(
    Float32Array.from(t, of),
    shape.map((size, axis) => (axis === 0 ? size : 1)),
  );
}
