import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface TimeEmbeddingConfig {
  name?: string;
  /** d, even, 4 or more */
  units: number;
}

/**
 * Waves that tell a time, as Ho, Jain and Abbeel's code has them: all sines, then all cosines, and the slowest wave with a
 * period of 2π · 10000. (A Transformer's places have sine and cosine in turn, and the slowest a little faster.)
 *
 *   y[n, i] = sin(t_n / 10000^(i / (d / 2 − 1)))        y[n, d / 2 + i] = cos(t_n / 10000^(i / (d / 2 − 1)))
 *
 * times [batch] -> [batch, d]; times have no gradient
 */
export class TimeEmbedding extends ZooLayer {
  static readonly className = "ZooTimeEmbedding";
  readonly units: number;

  constructor(config: TimeEmbeddingConfig) {
    super(config);
    this.units = config.units;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const half = this.units / 2;
      const frequencies = Float32Array.from({ length: half }, (_, i) => 10000 ** (-i / (half - 1)));
      const times = tf.reshape(tf.cast(onlyTensor(inputs), "float32"), [-1, 1]);
      const angles = tf.mul(times, tf.tensor2d(frequencies, [1, half])); // [batch, d / 2]
      return tf.concat([tf.sin(angles), tf.cos(angles)], 1); // [batch, d]
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return [onlyShape(inputShape)[0], this.units];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), units: this.units };
  }
}
tf.serialization.registerClass(TimeEmbedding);
