import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { explainedClasses } from "./scores.ts";

export interface OcclusionOptions {
  /** side of the square that hides a part, in pixels; about a quarter of the image unless given */
  size?: number;
  /** from one place of the square to the next, in pixels; about a sixteenth of the image unless given */
  stride?: number;
  /** the class to look for; what the network says of the whole image, unless given */
  classIndex?: number;
  /** images that are run at once */
  batchSize?: number;
  /** gets how many of the places are done, and is waited for: a page yields here, and ends it by throwing */
  onPlaces?(done: number, total: number): void | Promise<void>;
}

export interface Occlusion {
  /** [rows, columns]: the class's probability while the square hides what is around that place of the image */
  probability: tf.Tensor2D;
  /** of the whole image */
  whole: number;
  classIndex: number;
  size: number;
  stride: number;
}

/**
 * Occlusion sensitivity (Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", sec. 4.1): a grey
 * square slides over the image, and the class's probability falls where it hides what the network goes by.
 *
 * The places are the middles of squares of `stride` pixels that tile the image; the grey is the data set's mean. At the
 * border the square hides less.
 *
 * @param image [1, height, width, channels], normalised
 * @throws InputError for a class that there isn't, or a size or stride that is no whole number of at least 1
 */
export async function occlusion(
  model: tfl.LayersModel,
  image: tf.Tensor4D,
  options: OcclusionOptions = {},
): Promise<Occlusion> {
  const [, height, width, channels] = image.shape;
  const side = Math.max(height, width);
  const { size = Math.max(1, Math.round(side / 4)), stride = Math.max(1, Math.round(side / 16)) } = options;
  for (const [name, value] of Object.entries({ size, stride })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InputError(`${name} ${value} of the hiding square: give a whole number of at least 1`);
    }
  }
  const { batchSize = 64, onPlaces = () => {} } = options;
  const pixels = await image.data();
  const { classIndex, unhidden } = tf.tidy(() => {
    const logits = model.apply(image, { training: false }) as tf.Tensor2D; // [1, classes]
    const [index] = explainedClasses(logits, options.classIndex);
    return { classIndex: index, unhidden: tf.softmax(logits) };
  });
  const whole = (await unhidden.data())[classIndex];
  unhidden.dispose();
  const rows = Math.ceil(height / stride);
  const columns = Math.ceil(width / stride);
  const probabilities = new Float32Array(rows * columns);
  for (let first = 0; first < probabilities.length; first += batchSize) {
    const count = Math.min(batchSize, probabilities.length - first);
    const hidden = new Float32Array(count * pixels.length);
    for (let i = 0; i < count; i++) {
      const copy = hidden.subarray(i * pixels.length, (i + 1) * pixels.length);
      copy.set(pixels);
      const row = Math.floor((first + i) / columns);
      const [top, bottom] = covered(row, stride, size, height);
      const [left, right] = covered((first + i) % columns, stride, size, width);
      for (let y = top; y < bottom; y++) copy.fill(0, (y * width + left) * channels, (y * width + right) * channels);
    }
    const scores = tf.tidy(() => {
      const logits = model.apply(tf.tensor4d(hidden, [count, height, width, channels]), { training: false });
      return tf.slice(tf.softmax(logits as tf.Tensor2D), [0, classIndex], [count, 1]); // [count, 1]
    });
    probabilities.set(await scores.data(), first);
    scores.dispose();
    await onPlaces(first + count, probabilities.length);
  }
  return { probability: tf.tensor2d(probabilities, [rows, columns]), whole, classIndex, size, stride };
}

/** From which pixel to which the square reaches at a place along an axis. */
function covered(place: number, stride: number, size: number, length: number): [number, number] {
  const start = Math.round((place + 0.5) * stride - size / 2);
  return [Math.max(0, start), Math.min(length, start + size)];
}
