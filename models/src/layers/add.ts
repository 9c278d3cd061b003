import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { add } from "../ops/add.ts";
import { onlyShape } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** Sum of two inputs of one shape. */
export class Add extends ZooLayer {
  static readonly className = "ZooAdd";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [a, b] = inputs as tf.Tensor[];
    return add({ a, b });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }
}
tf.serialization.registerClass(Add);
