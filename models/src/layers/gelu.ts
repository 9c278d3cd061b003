import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { gelu } from "../ops/gelu.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** x Φ(x), of any shape. */
export class Gelu extends ZooLayer {
  static readonly className = "ZooGelu";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return gelu({ x: onlyTensor(inputs) });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }
}
tf.serialization.registerClass(Gelu);
