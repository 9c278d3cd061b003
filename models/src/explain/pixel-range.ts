import * as tf from "@tensorflow/tfjs-core";

/** How a network's images were normalised: mean and standard deviation of each channel, of pixels scaled to 0..1. */
export interface Normalisation {
  mean: readonly number[];
  std: readonly number[];
}

/** Pixels of 0..1 as the network sees them: (x − mean) / std. */
export function normalised(pixels: tf.Tensor4D, { mean, std }: Normalisation): tf.Tensor4D {
  return tf.div(tf.sub(pixels, [...mean]), [...std]);
}

/** What the network sees as pixels: x · std + mean. */
export function pixelsOf(images: tf.Tensor4D, { mean, std }: Normalisation): tf.Tensor4D {
  return tf.add(tf.mul(images, [...std]), [...mean]);
}

/** Images whose pixels all lie in 0..1. */
export function inPixelRange(images: tf.Tensor4D, { mean, std }: Normalisation): tf.Tensor4D {
  const bound = (pixel: number) => mean.map((m, c) => (pixel - m) / std[c]);
  return tf.minimum(tf.maximum(images, bound(0)), bound(1));
}
