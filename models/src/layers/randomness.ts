import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { dropoutMask } from "../ops/dropout.ts";
import { randomStream } from "../random.ts";

/** Where a layer's next random numbers come from. */
export interface Randomness {
  seed: number;
  step: number;
}

/** What a layer has that draws at random in training. */
export interface DrawsAtRandom {
  /** The trainer sets it before every step, so that a resumed run draws the same. */
  randomness: Randomness;
  /** whether it draws anything: its rate is not 0 */
  readonly draws: boolean;
}

/** Whether what a layer gives in training depends on chance. */
export function drawsAtRandom(layer: tfl.layers.Layer): layer is tfl.layers.Layer & DrawsAtRandom {
  return "randomness" in layer && (layer as unknown as DrawsAtRandom).draws;
}

/** Sets where every layer of a model that draws at random (dropout, attention with dropout) draws next from. */
export function seedDropout(model: tfl.LayersModel, seed: number, step: number): void {
  for (const layer of model.layers) if (drawsAtRandom(layer)) layer.randomness = { seed, step };
}

/**
 * Factors that drop units at random: 0 with probability `rate`, else 1 / (1 − rate).
 *
 * @param name of the layer: equal names, seeds and steps draw the same
 */
export function dropoutFactors(
  shape: readonly number[],
  rate: number,
  { seed, step }: Randomness,
  name: string,
): tf.Tensor {
  return dropoutMask(shape, rate, randomStream(seed, "dropout", name, step));
}
