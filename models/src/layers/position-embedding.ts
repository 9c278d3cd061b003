import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { positionEmbedding } from "../ops/position-embedding.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";

/**
 * Adds to each token what is learned of its place: value [1, tokens, d].
 *
 * [batch, tokens, d] -> the same
 */
export class PositionEmbedding extends ElementWise {
  static readonly className = "ZooPositionEmbedding";
  private positions?: tfl.LayerVariable;

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    this.positions = this.newWeight("value", [1, ...(onlyShape(inputShape).slice(1) as number[])]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const positions = (this.positions as tfl.LayerVariable).read();
    return tf.tidy(() => positionEmbedding({ x: onlyTensor(inputs), positions }));
  }
}
tf.serialization.registerClass(PositionEmbedding);
