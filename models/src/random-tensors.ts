import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./ops/differentiable.ts";
import type { Random } from "./random.ts";

/** Numbers in [0, 1), element i the stream's i-th, on every backend the same. */
export const uniformTensor = (shape: number[], random: Random): tf.Tensor =>
  drawn("ZooUniform", shape, random, () => random.uniform());

/** Numbers from the standard normal distribution, element i the stream's i-th. */
export const normalTensor = (shape: number[], random: Random): tf.Tensor =>
  drawn("ZooNormal", shape, random, () => random.normal());

/** Draws from the beginning of a stream that nothing has drawn from yet: by a backend's kernel where it has one. */
function drawn(kernel: string, shape: number[], random: Random, next: () => number): tf.Tensor {
  if (!hasKernel(kernel)) {
    return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, next), shape);
  }
  const key = tf.tensor1d([...random.key], "int32"); // [2]
  const [numbers] = runKernel(kernel, { key }, { shape });
  key.dispose();
  return numbers;
}
