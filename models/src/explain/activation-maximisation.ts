import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { randomStream } from "../random.ts";
import { compute, inputValues } from "./graph-values.ts";
import { findLayer, outputOf } from "./layers.ts";
import { inPixelRange, type Normalisation } from "./pixel-range.ts";

export interface ActivationMaximisationOptions extends Normalisation {
  /** whose units to excite; the network's output, which is the classes, unless given */
  layer?: string;
  /** which units, one image each: channels of a map, or numbers of a vector; all of the output's unless given */
  units?: readonly number[];
  steps?: number;
  /** how far the first step moves a pixel on average, in standard deviations; falls to 0 in a line */
  rate?: number;
  /** how many pixels an image is moved at most before a step; about an eighth of the image unless given */
  jitter?: number;
  /** λ: how strongly neighbouring pixels are held together */
  smoothness?: number;
  seed?: number;
  /** gets how many steps are done, and is waited for: a page yields here */
  onStep?(done: number, total: number): void | Promise<void>;
  /** ends it after a step; the images are then as far as they got */
  signal?: AbortSignal;
}

export interface MaximisedImages {
  /** [units, height, width, channels], normalised; no pixel leaves 0..1 */
  images: tf.Tensor4D;
  units: number[];
  /** of each unit for its image, at the end */
  activation: number[];
}

/**
 * Images that excite a unit most, by gradient ascent from faint noise (Erhan et al. 2009, "Visualizing higher-layer
 * features of a deep network"; Simonyan et al. 2014, sec. 2, for a class, whose unit is the score before the softmax).
 *
 *   x ← x + rate (g / mean |g| − λ ∂TV(x)/∂x)        g = ∂a_u(x)/∂x
 *
 * Held back from noise that no picture has, as is usual since, by total variation TV, the squared differences of
 * neighbours (Mahendran & Vedaldi 2015, sec. 3), and by jitter, a random shift before each step (Mordvintsev et al. 2015).
 *
 * @throws InputError for an unknown layer, with the nearest, or a unit that it hasn't
 */
export async function maximiseActivation(
  model: tfl.LayersModel,
  options: ActivationMaximisationOptions,
): Promise<MaximisedImages> {
  const [height, width, channels] = model.inputs[0].shape.slice(1) as [number, number, number];
  const target = options.layer === undefined ? model.outputs[0] : outputOf(findLayer(model, options.layer));
  const count = target.shape.at(-1) as number;
  const { units = Array.from({ length: count }, (_, i) => i), steps = 200, rate = 0.1, seed = 0 } = options;
  const wrong = units.find((unit) => !Number.isInteger(unit) || unit < 0 || unit >= count);
  if (wrong !== undefined) {
    throw new InputError(`there is no unit ${wrong} of ${options.layer ?? "the output"}: it has ${count}, from 0 on`);
  }
  const { jitter = Math.round(Math.max(height, width) / 8), smoothness = 0.25, onStep = () => {}, signal } = options;
  const random = randomStream(seed, "activation");
  const noise = Float32Array.from({ length: units.length * height * width * channels }, () => 0.1 * random.normal());
  const chosen = tf.tidy(() => tf.oneHot(tf.tensor1d([...units], "int32"), count)); // [units, count]

  /** What each unit gives for its image: [units] */
  const excitation = (x: tf.Tensor): tf.Tensor => {
    const output = compute(target, inputValues(model, x)); // [units, ..., count]
    const places = output.shape.slice(1, -1).map((_, axis) => axis + 1); // of a map, or of tokens
    const mean = places.length > 0 ? tf.mean(output, places) : output; // [units, count]
    return tf.sum(tf.mul(mean, chosen), 1);
  };
  const uphill = tf.grad((x: tf.Tensor) => tf.sum(excitation(x)));
  const rougher = tf.grad((x: tf.Tensor) => totalVariation(x as tf.Tensor4D));

  let images = tf.tidy(() => inPixelRange(tf.tensor4d(noise, [units.length, height, width, channels]), options));
  for (let step = 1; step <= steps; step++) {
    const [down, right] = [jitter, jitter].map((most) => random.integer(2 * most + 1) - most);
    const next = tf.tidy(() => {
      const g = rolled(uphill(rolled(images, down, right)) as tf.Tensor4D, -down, -right); // as images
      const ascent = tf.divNoNan(g, tf.mean(tf.abs(g), [1, 2, 3], true));
      const direction = tf.sub(ascent, tf.mul(rougher(images), smoothness));
      return inPixelRange(tf.add(images, tf.mul(direction, rate * (1 - (step - 1) / steps))), options);
    });
    images.dispose();
    images = next;
    if (step % 10 === 0 || step === steps) await images.data(); // waits for what was queued, so that progress is true
    await onStep(step, steps);
    if (signal?.aborted) break;
  }
  const reached = tf.tidy(() => excitation(images));
  const activation = Array.from(await reached.data());
  tf.dispose([reached, chosen]);
  return { images, units: [...units], activation };
}

/** Σ of the squared differences of neighbouring pixels. */
function totalVariation(x: tf.Tensor4D): tf.Scalar {
  const [, height, width] = x.shape;
  const rows = (from: number) => tf.slice(x, [0, from, 0, 0], [-1, height - 1, -1, -1]);
  const columns = (from: number) => tf.slice(x, [0, 0, from, 0], [-1, -1, width - 1, -1]);
  return tf.add(tf.sum(tf.squaredDifference(rows(0), rows(1))), tf.sum(tf.squaredDifference(columns(0), columns(1))));
}

/** Images moved down and right; what leaves at an edge comes in at the other. */
function rolled(x: tf.Tensor4D, down: number, right: number): tf.Tensor4D {
  return rolledAlong(rolledAlong(x, 1, down), 2, right);
}

function rolledAlong(x: tf.Tensor4D, axis: 1 | 2, by: number): tf.Tensor4D {
  const length = x.shape[axis];
  const cut = (((length - by) % length) + length) % length;
  if (cut === 0) return x;
  const [head, tail] = tf.split(x, [cut, length - cut], axis);
  return tf.concat<tf.Tensor4D>([tail, head] as tf.Tensor4D[], axis);
}
