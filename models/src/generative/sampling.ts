/** What the samplers of diffusion share: options and their checks, times, noise, guidance, and the loop over steps. */
import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import type { Random } from "../random.ts";
import { checkPrediction, type Denoised, denoised, type Prediction } from "./diffusion.ts";
import { alphaBarAt, type NoiseSchedule } from "./noise-schedule.ts";

/**
 * A network that has learned to take noise away.
 *
 * @param x x_t [images, ...]  @param t a time of the schedule  @param labels classes, int32 [images], if it knows any
 * @returns its prediction, the shape of x
 */
export type Denoise = (x: tf.Tensor, t: number, labels?: tf.Tensor1D) => tf.Tensor;

/** Images of given classes, for a network that knows them (Ho & Salimans 2022, "Classifier-free diffusion guidance"). */
export interface Guidance {
  /** the class of every image, 0 to classes − 1 */
  labels: readonly number[];
  /** classes that the network knows; the one after them, the null class, stands for none */
  classes: number;
  /**
   * w: ε̂ = (1 + w) ε(x, c) − w ε(x) (eq. 6). 0 leaves the network's word for the class alone; with more, images are more
   * alike and show the class more clearly.
   */
  strength?: number;
}

/** What there is after a step; the tensors are the sampler's, and are gone after `onStep`. */
export interface SampleStep {
  /** steps taken, from 1 on */
  step: number;
  steps: number;
  /** the time that this step came from */
  t: number;
  /** the images as they are now, with less noise than before [images, ...] */
  x: tf.Tensor;
  /** the images as the network sees them through the noise */
  x0: tf.Tensor;
}

export interface SampleOptions {
  denoise: Denoise;
  schedule: NoiseSchedule;
  /** [images, height, width, channels] */
  shape: readonly number[];
  /** how often the network is asked: T or fewer, T unless given */
  steps?: number;
  /** Where random numbers come from: `(...path) => randomStream(seed, ...path)`. An image's follow from its number. */
  random: (...path: (string | number)[]) => Random;
  /** what the network predicts: the noise unless given */
  prediction?: Prediction;
  /** Puts what the network sees as the image into [−1, 1] at each step (Ho's code does it too); true unless given. */
  clip?: boolean;
  guidance?: Guidance;
  /** the number of the first image, where images are made in several batches */
  first?: number;
  /** the noise to begin from, in place of new: it stays the caller's */
  start?: tf.Tensor;
  /** Called after each step, and waited for. */
  onStep?(step: SampleStep): void | Promise<void>;
}

/** A step from time t to the earlier time s; −1 is the image itself. */
export interface StepInputs extends Denoised {
  /** x_t */
  x: tf.Tensor;
  t: number;
  s: number;
  /** what the step before this one saw as the image, and at what time */
  previous?: { x0: tf.Tensor; t: number };
  /** ε ~ N(0, I), new for this step */
  noise(): tf.Tensor;
}

/** How a sampler takes a step: x_s of x_t and what the network says of it. */
export type StepRule = (inputs: StepInputs) => tf.Tensor;

/**
 * Takes a sampler's steps. All that a step makes is freed before the next.
 *
 * @param times from T − 1 down
 * @returns images [images, ...], in [−1, 1] where `clip` is true; the caller's to dispose
 * @throws InputError for options that don't fit the schedule, the shape or each other
 */
export async function takeSteps(options: SampleOptions, times: readonly number[], rule: StepRule): Promise<tf.Tensor> {
  const { schedule, shape, prediction = "epsilon", clip = true, guidance, start, onStep } = options;
  checkPrediction(prediction);
  if (start !== undefined && !tf.util.arraysEqual(start.shape, [...shape])) {
    throw new InputError(`sampling got noise of shape [${start.shape}] to begin from; expected [${shape}]`);
  }
  const ask = guided(options.denoise, shape[0], guidance);
  let x = start === undefined ? drawn(options, "start") : tf.clone(start);
  let previous: StepInputs["previous"];
  try {
    for (const [i, t] of times.entries()) {
      const s = times[i + 1] ?? -1;
      const next = tf.tidy(() => {
        const seen = denoised(prediction, schedule, { xt: x, output: ask.predict(x, t), t, clip });
        const noise = () => drawn(options, "noise", t);
        return { x: rule({ ...seen, x, t, s, previous, noise }), x0: seen.x0 };
      }) as unknown as { x: tf.Tensor; x0: tf.Tensor };
      tf.dispose([x, previous?.x0 ?? []]);
      x = next.x;
      previous = { x0: next.x0, t };
      await onStep?.({ step: i + 1, steps: times.length, t, ...next });
    }
    return x;
  } catch (error) {
    x.dispose();
    throw error;
  } finally {
    previous?.x0.dispose();
    ask.dispose();
  }
}

/**
 * Times in even distances, the last of the schedule among them, since it is there that images are all noise (Lin et al.
 * 2024, "Common diffusion noise schedules and sample steps are flawed", sec. 3.3, "trailing").
 *
 * @returns from T − 1 down
 * @throws InputError for steps that are none, or more than the schedule has
 */
export function evenTimes({ steps: T }: NoiseSchedule, steps = T): number[] {
  checkSteps(steps, T);
  return Array.from({ length: steps }, (_, i) => Math.round((T * (steps - i)) / steps) - 1);
}

/** λ_t = log(√ᾱ_t / √(1 − ᾱ_t)): half the logarithm of signal to noise (Lu et al. 2022, "DPM-Solver", sec. 2.2) */
export function halfLogSnr(schedule: NoiseSchedule, t: number): number {
  const alphaBar = alphaBarAt(schedule, t);
  return 0.5 * Math.log(alphaBar / (1 - alphaBar));
}

/** Below this λ there is next to no image; the cosine schedule's last times go far below, and steps there are lost. */
const LOWEST = -5.1;

/**
 * Times in even distances of λ, from the last of the schedule to its first (Lu et al. 2022, "DPM-Solver", sec. 3.3).
 *
 * @returns from T − 1 down to 0
 * @throws InputError for steps that are none, or more than the schedule has
 */
export function logSnrTimes(schedule: NoiseSchedule, steps = schedule.steps): number[] {
  const { steps: T } = schedule;
  checkSteps(steps, T);
  if (steps === 1) return [T - 1];
  const lambdas = Array.from({ length: T }, (_, t) => halfLogSnr(schedule, t)); // falls with t
  const [highest, lowest] = [lambdas[0], Math.max(lambdas[T - 1], LOWEST)];
  const times: number[] = [];
  let t = 0;
  for (let i = 0; i < steps; i++) {
    const wanted = highest + ((lowest - highest) * i) / (steps - 1);
    while (t < T - 1 && Math.abs(lambdas[t + 1] - wanted) <= Math.abs(lambdas[t] - wanted)) t++;
    // No time twice, and enough of them left for the steps to come.
    times.push(Math.min(Math.max(t, (times[i - 1] ?? -1) + 1), T - steps + i));
  }
  times[steps - 1] = T - 1;
  return times.reverse();
}

function checkSteps(steps: number, T: number): void {
  if (!Number.isInteger(steps) || steps < 1 || steps > T) {
    throw new InputError(
      `sampling got ${steps} step(s); expected an integer from 1 to ${T}, which the noise schedule has`,
    );
  }
}

/** ε ~ N(0, I): an image's by its number, whatever else is in its batch. */
function drawn({ shape, random, first = 0 }: SampleOptions, ...path: (string | number)[]): tf.Tensor {
  const size = tf.util.sizeFromShape(shape.slice(1));
  const values = new Float32Array(shape[0] * size);
  for (let n = 0; n < shape[0]; n++) {
    const stream = random(...path, first + n);
    for (let i = 0; i < size; i++) values[n * size + i] = stream.normal();
  }
  return tf.tensor(values, [...shape]);
}

/** The network, asked as the guidance has it: for both of its answers in one batch twice as large. */
function guided(denoise: Denoise, images: number, guidance?: Guidance) {
  if (guidance === undefined) return { predict: (x: tf.Tensor, t: number) => denoise(x, t), dispose: () => {} };
  const { labels, classes, strength = 0 } = guidance;
  checkGuidance(guidance, images);
  const ids = strength === 0 ? labels : [...labels, ...labels.map(() => classes)];
  const given = tf.tensor1d([...ids], "int32"); // [images], or [2 images]
  return {
    predict: (x: tf.Tensor, t: number): tf.Tensor => {
      if (strength === 0) return denoise(x, t, given);
      const [ofClass, ofNone] = tf.split(denoise(tf.concat([x, x]), t, given), 2);
      return tf.sub(tf.mul(ofClass, 1 + strength), tf.mul(ofNone, strength));
    },
    dispose: () => given.dispose(),
  };
}

function checkGuidance({ labels, classes, strength = 0 }: Guidance, images: number): void {
  if (labels.length !== images) {
    throw new InputError(`sampling got ${labels.length} class(es) for ${images} image(s); expected one each`);
  }
  const wrong = labels.find((label) => !Number.isInteger(label) || label < 0 || label >= classes);
  if (wrong !== undefined) {
    throw new InputError(`sampling got the class ${wrong}; expected an integer from 0 to ${classes - 1}`);
  }
  if (!Number.isFinite(strength) || strength < 0) {
    throw new InputError(`sampling got a guidance of ${strength}; expected 0 or more, such as 1`);
  }
}
