import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Batch } from "@tfjs-zoo/datasets";
import {
  InputError,
  minSnrWeight,
  type NoiseSchedule,
  ops,
  type Prediction,
  qSample,
  type Random,
  randomStream,
  seedDropout,
  targetOf,
  unetClasses,
} from "@tfjs-zoo/models";
import { events } from "../loop/events.ts";
import type { Task } from "./task.ts";

/** What the network is given, what it is to say, and what the error of each image counts for: [size]. */
type Inputs = { given: tf.Tensor[]; target: tf.Tensor; weights?: tf.Tensor1D };

export interface DiffusionOptions {
  schedule: NoiseSchedule;
  /** what the network predicts: the noise unless given */
  prediction?: Prediction;
  /** γ of the min-SNR weighting (Hang et al. 2023), 5 in its paper; all times count alike unless given */
  minSnr?: number;
  /** p_uncond: how often an image is shown with the null class, for guidance (Ho & Salimans 2022, algorithm 1) */
  dropClass?: number;
}

/**
 * Noise out of images (Ho, Jain & Abbeel 2020, algorithm 1): each image gets a time and noise at random, and the loss is the
 * mean squared error of what the network predicts (L_simple, eq. 14).
 *
 * @param model a U-Net; batches have images in [−1, 1]
 * @param shape of an image
 * @throws InputError for options that are out of range
 */
export function diffusion(
  model: tfl.LayersModel,
  shape: readonly [number, number, number],
  options: DiffusionOptions,
): Task<Batch, Inputs> {
  const { schedule, prediction = "epsilon", minSnr, dropClass = 0.1 } = options;
  if (minSnr !== undefined && !(minSnr > 0)) {
    throw new InputError(`diffusion got a min-SNR of ${minSnr}; expected a positive number, such as 5`);
  }
  if (!(dropClass >= 0 && dropClass <= 1)) {
    throw new InputError(`diffusion got the share ${dropClass} of images without their class; expected 0 to 1`);
  }
  // Where a step's random numbers come from, and how many of its micro-batches have come.
  let at = { seed: 0, step: 0, batches: 0 };
  return {
    weights: model.weights,
    size: ({ size }) => size,

    upload(batch) {
      const { seed, step } = at;
      const drawn = (what: string) => randomStream(seed, "diffusion", step, at.batches, what);
      const { times, ...inputs } = noisy(model, shape, batch, { schedule, prediction, dropClass }, drawn);
      at.batches++;
      if (minSnr === undefined) return inputs;
      const weights = times.map((t) => minSnrWeight(prediction, schedule, t, minSnr));
      return { ...inputs, weights: tf.tensor1d(weights) };
    },

    seed(seed, step) {
      at = { seed, step, batches: 0 };
      seedDropout(model, seed, step);
    },

    updates: [
      {
        name: "diffusion",
        variables: model.trainableWeights,
        loss(inputs) {
          const errors = errorsOf(model, inputs, true); // [size]
          const { weights } = inputs;
          return { loss: tf.mean(weights === undefined ? errors : tf.mul(errors, weights)) as tf.Scalar };
        },
      },
    ],
  };
}

/** Draws of time and noise that each image of a held-out set gets, spread over the times: more make the loss steadier. */
const DRAWS = 4;

/**
 * The loss on held-out images in inference mode, all times alike and every image with its class. An image's times and
 * noise follow from the seed and its place, so that the losses of two networks compare.
 */
export async function evaluateDiffusion(
  model: tfl.LayersModel,
  shape: readonly [number, number, number],
  batches: AsyncIterable<Batch>,
  { schedule, prediction = "epsilon", seed }: Pick<DiffusionOptions, "schedule" | "prediction"> & { seed: number },
  onBatch: (images: number) => void = () => {},
): Promise<{ loss: number; images: number }> {
  let [sum, images] = [0, 0];
  for await (const batch of batches) {
    for (let draw = 0; draw < DRAWS; draw++) {
      const drawn = (what: string) => randomStream(seed, "diffusion test", images, draw, what);
      const errors = tf.tidy(() => {
        const { given, target } = noisy(model, shape, batch, { schedule, prediction, draw }, drawn);
        return errorsOf(model, { given, target }, false);
      });
      for (const error of await errors.data()) sum += error;
      errors.dispose();
    }
    images += batch.size;
    onBatch(images);
    await events();
  }
  return { loss: sum / images / DRAWS, images };
}

interface Drawing {
  schedule: NoiseSchedule;
  prediction: Prediction;
  dropClass?: number;
  /** which of `DRAWS` parts of the times they are from; from all unless given */
  draw?: number;
}

/** A batch with noise: x_t [size, ...shape], times int32 [size], classes int32 [size] if the network knows any. */
function noisy(
  model: tfl.LayersModel,
  shape: readonly [number, number, number],
  { images, labels, size }: Batch,
  { schedule, prediction, dropClass = 0, draw }: Drawing,
  drawn: (what: string) => Random,
): { times: number[]; given: tf.Tensor[]; target: tf.Tensor } {
  const classes = unetClasses(model);
  const [ofTime, ofNoise, ofDrop] = ["time", "noise", "class"].map(drawn);
  const share = () => (draw === undefined ? ofTime.uniform() : (draw + ofTime.uniform()) / DRAWS);
  const times = Array.from({ length: size }, () => Math.floor(schedule.steps * share()));
  const noises = Float32Array.from({ length: images.length }, () => ofNoise.normal());
  const inputs = tf.tidy(() => {
    const [x0, noise] = [images, noises].map((values) => tf.tensor4d(values, [size, ...shape]));
    const given: tf.Tensor[] = [qSample(schedule, x0, times, noise), tf.tensor1d(times, "int32")];
    if (classes !== undefined) {
      given.push(
        tf.tensor1d(
          labels.map((label) => (ofDrop.uniform() < dropClass ? classes : label)),
          "int32",
        ),
      );
    }
    return { given, target: targetOf(prediction, schedule, { x0, noise, t: times }) };
  });
  return { times, ...inputs };
}

/** The mean squared error of every image: [size]. */
function errorsOf(model: tfl.LayersModel, { given, target }: Inputs, training: boolean): tf.Tensor1D {
  const prediction = model.apply(given, { training }) as tf.Tensor;
  const errors = ops.squaredError({ prediction, target }, { reduction: "none" });
  return tf.mean(tf.reshape(errors, [errors.shape[0], -1]), 1);
}
