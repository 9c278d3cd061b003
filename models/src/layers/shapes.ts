import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** [batch, height, width, channels]; null where unknown. */
export type ImageShape = [batch: number | null, height: number, width: number, channels: number];

/** tfjs-layers hands a layer's inputs and shapes over bare or as lists of one. */
export function only<T>(value: T | T[]): T {
  return Array.isArray(value) ? value[0] : value;
}

export const onlyTensor = (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor => only(inputs);

export function onlyShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
  return Array.isArray(shape[0]) ? (shape[0] as tfl.Shape) : (shape as tfl.Shape);
}

/** @returns the one shape of a layer's input, checked to be that of images */
export function imageShape(shape: tfl.Shape | tfl.Shape[], layer: string): ImageShape {
  const single = onlyShape(shape);
  if (single.length !== 4) {
    throw new Error(`layer ${layer} got an input of shape [${single}]; expected [batch, height, width, channels]`);
  }
  return single as ImageShape;
}
