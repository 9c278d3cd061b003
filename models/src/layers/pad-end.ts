import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { padEnd } from "../ops/pad-end.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** A row of zeros below an image and a column to its right: [batch, height, width, c] -> [batch, height + 1, width + 1, c]. */
export class PadEnd extends ZooLayer {
  static readonly className = "ZooPadEnd";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return padEnd({ x: onlyTensor(inputs) });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width, channels] = imageShape(inputShape, this.name);
    return [batch, height + 1, width + 1, channels];
  }
}
tf.serialization.registerClass(PadEnd);
