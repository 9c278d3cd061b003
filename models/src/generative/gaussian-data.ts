/** For tests: data ~ N(μ, s²) in each pixel, of which the best denoiser is known in closed form. */
import * as tf from "@tensorflow/tfjs-core";
import type { Prediction } from "./diffusion.ts";
import { alphaBarAt, type NoiseSchedule } from "./noise-schedule.ts";
import type { Denoise } from "./sampling.ts";

export interface GaussianData {
  /** μ */
  mean: number;
  /** s */
  deviation: number;
}

/** Mean and deviation of x_t. */
export function noisy({ mean, deviation }: GaussianData, schedule: NoiseSchedule, t: number): GaussianData {
  const alphaBar = alphaBarAt(schedule, t);
  return { mean: Math.sqrt(alphaBar) * mean, deviation: Math.sqrt(alphaBar * deviation ** 2 + 1 - alphaBar) };
}

/** E[x₀ | x_t] = k x_t + c */
export function bestImage(data: GaussianData, schedule: NoiseSchedule, t: number): { k: number; c: number } {
  const { mean, deviation } = noisy(data, schedule, t);
  const k = (Math.sqrt(alphaBarAt(schedule, t)) * data.deviation ** 2) / deviation ** 2;
  return { k, c: data.mean - k * mean };
}

/** What the best network says of x_t, whose μ may depend on the class. */
export function bestDenoiser(
  schedule: NoiseSchedule,
  data: GaussianData,
  { prediction = "epsilon", meanOf }: { prediction?: Prediction; meanOf?: (label: number) => number } = {},
): Denoise {
  return (x, t, labels) => {
    const alphaBar = alphaBarAt(schedule, t);
    const [signal, spread] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)];
    const rows = Array.from({ length: x.shape[0] }, (_, n) => {
      const label = labels?.dataSync()[n];
      const mean = label === undefined || meanOf === undefined ? data.mean : meanOf(label);
      return bestImage({ ...data, mean }, schedule, t);
    });
    const each = (values: number[]) => tf.tensor(values, [x.shape[0], ...x.shape.slice(1).map(() => 1)]);
    const image = tf.add(tf.mul(x, each(rows.map(({ k }) => k))), each(rows.map(({ c }) => c)));
    if (prediction === "x0") return image;
    const noise = tf.div(tf.sub(x, tf.mul(image, signal)), spread);
    return prediction === "epsilon" ? noise : tf.sub(tf.mul(noise, signal), tf.mul(image, spread));
  };
}
