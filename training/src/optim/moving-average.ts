import * as tf from "@tensorflow/tfjs-core";
import type { FlatParameters } from "./flat-parameters.ts";

/**
 * Exponential moving average of all weights of a network, running statistics too (Polyak & Juditsky 1992; in the form
 * of Szegedy et al. 2016).
 *
 *   a ← d a + (1 − d) θ
 *
 * The decay d starts small, min(d, (1 + t) / (10 + t)), so that early weights are soon forgotten.
 */
export class MovingAverage {
  private average: tf.Tensor1D;

  constructor(
    private readonly parameters: FlatParameters,
    private readonly decay: number,
  ) {
    this.average = parameters.read();
  }

  /** how many numbers are averaged */
  get size(): number {
    return this.parameters.size;
  }

  /** @param step updates so far */
  update(step: number): void {
    const decay = Math.min(this.decay, (1 + step) / (10 + step));
    const next = tf.tidy((): tf.Tensor1D => {
      const weights = this.parameters.read(); // [size]
      return tf.add(tf.mul(this.average, decay), tf.mul(weights, 1 - decay));
    });
    this.average.dispose();
    this.average = next;
  }

  read(): tf.Tensor1D {
    return this.average;
  }

  restore(values: Float32Array): void {
    this.average.dispose();
    this.average = tf.tensor1d(values);
  }

  /** Runs `body` with the averaged weights in place of the network's. */
  async applied<T>(body: () => Promise<T>): Promise<T> {
    const weights = this.parameters.read();
    this.parameters.write(this.average);
    try {
      return await body();
    } finally {
      this.parameters.write(weights);
      weights.dispose();
    }
  }

  dispose(): void {
    this.average.dispose();
  }
}
