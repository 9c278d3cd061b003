import * as tf from "@tensorflow/tfjs-core";
import { posterior } from "./diffusion.ts";
import { evenTimes, type SampleOptions, takeSteps } from "./sampling.ts";

export interface DdpmOptions extends SampleOptions {
  /** of the noise that a step adds: β̃_t (`posterior`) or the larger β_t (`beta`); both are Ho's (sec. 3.2) */
  variance?: "posterior" | "beta";
}

/**
 * Takes the noise away step by step, as it came (Ho, Jain & Abbeel 2020, algorithm 2):
 *
 *   x_s = μ̃(x_t, x̂₀) + σ z        z ~ N(0, I), none in the last step
 *
 * μ̃ is the posterior's mean (eq. 7), with the image that the network sees in place of the one that nobody knows. With
 * fewer steps than T, the times between are left out (Nichol & Dhariwal 2021, sec. 4).
 *
 * @returns images of the shape given; the caller's to dispose
 * @throws InputError for options that don't fit
 */
export async function ddpmSample(options: DdpmOptions): Promise<tf.Tensor> {
  const { schedule, variance: kind = "posterior" } = options;
  return takeSteps(options, evenTimes(schedule, options.steps), ({ x, x0, t, s, noise }) => {
    const { ofImage, ofNoisy, variance, beta } = posterior(schedule, t, s);
    const mean = tf.add(tf.mul(x0, ofImage), tf.mul(x, ofNoisy));
    if (s === -1) return mean;
    return tf.add(mean, tf.mul(noise(), Math.sqrt(kind === "beta" ? beta : variance)));
  });
}
