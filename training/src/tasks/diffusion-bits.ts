import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Batch } from "@tfjs-zoo/datasets";
import { noiseSchedule, randomStream, unetClasses, unetDenoiser, variationalBound } from "@tfjs-zoo/models";
import { events } from "../loop/events.ts";
import type { DiffusionInfo } from "./diffusion-weights.ts";

/** How many bits a network of diffusion takes to send images. */
export interface BitsMeasure {
  /** bound on −log₂ p(x) / dimensions, a dimension being a channel of a pixel: the mean over images */
  bits: number;
  /** standard error of that mean, from the means of batches: the images of a batch have their times in common */
  error: number;
  images: number;
  /** times of which terms of the bound are drawn; all where there are no more */
  times: number;
}

export interface BitsOptions {
  /** times beside the first, at which terms of the bound are measured */
  times: number;
  seed: number;
  onTime?(done: number, total: number): void;
}

/**
 * Bits per dimension by the variational bound (Ho, Jain & Abbeel 2020, eq. 5), with the posterior's variance for the
 * network's own steps, as `ddpmSample` has it. A network that is told classes is told each image's, so that the bound is on −log p(x | class).
 *
 * @param batches of images in [−1, 1]
 * @param total images that will come, for `onTime`
 */
export async function evaluateBits(
  model: tfl.LayersModel,
  { inputShape, noise, times: T, prediction }: DiffusionInfo,
  batches: AsyncIterable<Batch>,
  total: number,
  { times: asked, seed, onTime = () => {} }: BitsOptions,
): Promise<BitsMeasure> {
  const schedule = noiseSchedule(noise, T);
  const times = asked + 1 < T ? asked : undefined;
  const found: number[] = [];
  const batchMeans: number[] = [];
  for await (const { images, labels, size } of batches) {
    const x0 = tf.tensor4d(images, [size, ...inputShape]);
    const given = unetClasses(model) === undefined ? undefined : tf.tensor1d([...labels], "int32"); // [size]
    try {
      const first = found.length;
      const bound = await variationalBound(x0, {
        ...{ denoise: unetDenoiser(model), schedule, prediction, labels: given, times, first },
        // A batch draws its own times, so that more images make the mean steadier in this too.
        random: (...path) => randomStream(seed, "bits", ...path, ...(path[0] === "times" ? [first] : [])),
        async onTime(done, of) {
          onTime(first + Math.floor((size * done) / of), total);
          await events();
        },
      });
      found.push(...bound.total);
      batchMeans.push(mean(bound.total));
    } finally {
      tf.dispose([x0, given ?? []]);
    }
  }
  // Where all times are measured, or there is one batch, images are what differs.
  const error = standardError(times === undefined || batchMeans.length < 2 ? found : batchMeans);
  return { bits: mean(found), error, images: found.length, times: times === undefined ? T : times + 1 };
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

function standardError(values: readonly number[]): number {
  const centre = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / Math.max(1, values.length - 1);
  return Math.sqrt(variance / values.length);
}
