import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { classToken } from "../ops/class-token.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/**
 * Puts a learned token before all others: value [1, 1, d].
 *
 * [batch, tokens, d] -> [batch, 1 + tokens, d]
 */
export class ClassToken extends ZooLayer {
  static readonly className = "ZooClassToken";
  private token?: tfl.LayerVariable;

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    this.token = this.newWeight("value", [1, 1, onlyShape(inputShape)[2] as number]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => classToken({ x: onlyTensor(inputs), token: (this.token as tfl.LayerVariable).read() }));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, tokens, d] = onlyShape(inputShape);
    return [batch, (tokens as number) + 1, d];
  }
}
tf.serialization.registerClass(ClassToken);
