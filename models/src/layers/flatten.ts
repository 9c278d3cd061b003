import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { flatten } from "../ops/flatten.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** Images as vectors in PyTorch's order: [batch, height, width, channels] -> [batch, channels · height · width]. */
export class Flatten extends ZooLayer {
  static readonly className = "ZooFlatten";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return flatten({ x: onlyTensor(inputs) });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width, channels] = imageShape(inputShape, this.name);
    return [batch, channels * height * width];
  }
}
tf.serialization.registerClass(Flatten);
