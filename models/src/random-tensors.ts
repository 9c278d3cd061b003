import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "./random.ts";

/** Numbers in [0, 1), element i the stream's i-th. */
export const uniformTensor = (shape: number[], random: Random): tf.Tensor => filled(shape, () => random.uniform());

/** Numbers from the standard normal distribution, element i the stream's i-th. */
export const normalTensor = (shape: number[], random: Random): tf.Tensor => filled(shape, () => random.normal());

const filled = (shape: number[], next: () => number): tf.Tensor =>
  tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, next), shape);
