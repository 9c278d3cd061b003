import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/**
 * The logarithm of a variance that all pixels of all images have (Rybkin, Daniilidis & Levine 2021, "Simple and effective
 * VAE training with calibrated decoders", sec. 4): log_variance [1], which is learned.
 *
 * [batch, ...] -> [batch, 1]
 */
export class SharedLogVariance extends ZooLayer {
  static readonly className = "ZooSharedLogVariance";
  private logVariance?: tfl.LayerVariable;

  override build(): void {
    this.logVariance = this.newWeight("log_variance", [1]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const rows = tf.ones([onlyTensor(inputs).shape[0], 1]); // [batch, 1]
    return tf.mul(rows, (this.logVariance as tfl.LayerVariable).read());
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return [onlyShape(inputShape)[0], 1];
  }
}
tf.serialization.registerClass(SharedLogVariance);
