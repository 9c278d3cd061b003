import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { globalAvgPool2d } from "../ops/global-avg-pool2d.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** The mean of every channel: [batch, height, width, channels] -> [batch, channels]. */
export class GlobalAvgPool2D extends ZooLayer {
  static readonly className = "ZooGlobalAvgPool2D";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return globalAvgPool2d({ x: onlyTensor(inputs) });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, , , channels] = imageShape(inputShape, this.name);
    return [batch, channels];
  }
}
tf.serialization.registerClass(GlobalAvgPool2D);
