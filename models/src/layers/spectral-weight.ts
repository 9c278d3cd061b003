import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { powerIteration, spectralNorm } from "../ops/spectral-norm.ts";

/** A layer's weight that is divided by its largest singular value, and what is known of that value's vectors. */
export interface SpectralWeight {
  readonly weight: tfl.LayerVariable;
  /** [out] */
  readonly u: tfl.LayerVariable;
  /** all axes of the weight but the last */
  readonly v: tfl.LayerVariable;
}

/** Adds them under PyTorch's names: weight_orig, which learns, weight_u and weight_v. */
export function newSpectralWeight(
  shape: number[],
  newWeight: (name: string, shape: number[], options?: { fill: number; trainable: boolean }) => tfl.LayerVariable,
): SpectralWeight {
  const [inner, out] = [shape.slice(0, -1), shape.at(-1) as number];
  const n = inner.reduce((all, size) => all * size, 1);
  return {
    weight: newWeight("weight_orig", shape),
    u: newWeight("weight_u", [out], { fill: out ** -0.5, trainable: false }),
    v: newWeight("weight_v", inner, { fill: n ** -0.5, trainable: false }),
  };
}

/**
 * The weight that the layer has: [..., out].
 *
 * @param learns whether to come a step nearer to the singular vectors first, as in training
 * @param options.transposed whether the first of two axes is that of the outputs, u's
 */
export function spectralRead(
  { weight, u, v }: SpectralWeight,
  learns: boolean,
  { transposed = false } = {},
): tf.Tensor {
  const turned = (x: tf.Tensor) => (transposed ? tf.transpose(x) : x);
  const W = turned(weight.read());
  if (learns) {
    const next = powerIteration(W, u.read());
    u.write(next.u);
    v.write(tf.reshape(next.v, v.shape as number[]));
  }
  // Read back, they are constants: a gradient does not go through the step.
  return turned(spectralNorm({ weight: W, u: u.read(), v: tf.reshape(v.read(), [-1]) }));
}
