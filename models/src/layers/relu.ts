import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { relu } from "../ops/relu.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** max(x, 0), any shape. */
export class ReLU extends ZooLayer {
  static readonly className = "ZooReLU";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return relu({ x: onlyTensor(inputs) });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }
}
tf.serialization.registerClass(ReLU);
