import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { posterior } from "./diffusion.ts";
import { alphaBarAt } from "./noise-schedule.ts";
import { evenTimes, type SampleOptions, takeSteps } from "./sampling.ts";

export interface DdimOptions extends SampleOptions {
  /** η: how much noise a step adds, of what DDPM would; 0 unless given, which leaves nothing to chance but the start */
  eta?: number;
}

/**
 * Denoising diffusion implicit models (Song, Meng & Ermon 2021, eq. 12 and 16):
 *
 *   x_s = √ᾱ_s x̂₀ + √(1 − ᾱ_s − σ²) ε̂ + σ z        σ² = η² (1 − ᾱ_s) / (1 − ᾱ_t) · (1 − ᾱ_t / ᾱ_s)
 *
 * With η = 0 it follows the differential equation of the probability flow (sec. 4.3), by Euler's method; so few steps come
 * far, and images that begin from like noise are alike. With η = 1 it is DDPM.
 *
 * @returns images of the shape given; the caller's to dispose
 * @throws InputError for options that don't fit
 */
export async function ddimSample(options: DdimOptions): Promise<tf.Tensor> {
  const { schedule, eta = 0 } = options;
  if (!(eta >= 0 && eta <= 1)) throw new InputError(`DDIM got η = ${eta}; expected a number from 0 to 1`);
  return takeSteps(options, evenTimes(schedule, options.steps), ({ x0, epsilon, t, s, noise }) => {
    const alphaBar = alphaBarAt(schedule, s);
    const variance = eta ** 2 * posterior(schedule, t, s).variance;
    const image = tf.mul(x0, Math.sqrt(alphaBar));
    const direction = tf.mul(epsilon, Math.sqrt(1 - alphaBar - variance));
    const next = tf.add(image, direction);
    return variance === 0 ? next : tf.add(next, tf.mul(noise(), Math.sqrt(variance)));
  });
}
