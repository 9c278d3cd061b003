import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { ElementWise } from "./element-wise.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";

/**
 * Adds a vector to the last axis: value [d]. An output layer that shares its weight with a table of embeddings has its
 * bias from here.
 *
 * [..., d] -> the same
 */
export class Bias extends ElementWise {
  static readonly className = "ZooBias";
  private bias?: tfl.LayerVariable;

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    this.bias = this.newWeight("value", [onlyShape(inputShape).at(-1) as number]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(onlyTensor(inputs), (this.bias as tfl.LayerVariable).read());
  }
}
tf.serialization.registerClass(Bias);
