import * as tf from "@tensorflow/tfjs-core";
import { coverImage, imageTransform, type Picture } from "@tfjs-zoo/datasets";
import type { Classifier } from "../shared/pretrained.ts";

export interface Prediction {
  /** of the class */
  index: number;
  name: string;
  /** 0 to 1 */
  probability: number;
}

export interface Answer {
  /** the likeliest first */
  ranked: Prediction[];
  /** what the network saw: [height, width, channels], 0..255 */
  seen: Uint8Array;
  /** of the network alone, in milliseconds */
  time: number;
}

/** What a network sees: [1, height, width, channels], normalised. The caller disposes of it. */
export function networkInput({ info: { inputShape, mean, std } }: Classifier, seen: Uint8Array): tf.Tensor4D {
  const normalised = new Float32Array(seen.length);
  imageTransform(inputShape, mean, std)(seen, 0, normalised, 0);
  return tf.tensor4d(normalised, [1, ...inputShape]);
}

/** What is in a picture. */
export async function predict(classifier: Classifier, picture: Picture): Promise<Answer> {
  const { model, info } = classifier;
  const seen = coverImage(picture, info.inputShape);
  const began = performance.now();
  const probabilities = tf.tidy(() =>
    tf.softmax(model.apply(networkInput(classifier, seen), { training: false }) as tf.Tensor2D),
  ); // [1, classes]
  const values = await probabilities.data();
  probabilities.dispose();
  const time = performance.now() - began;
  const ranked = info.classes
    .map((name, index) => ({ index, name, probability: values[index] }))
    .sort((a, b) => b.probability - a.probability);
  return { ranked, seen, time };
}
