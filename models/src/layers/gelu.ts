import * as tf from "@tensorflow/tfjs-core";
import { gelu } from "../ops/gelu.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyTensor } from "./shapes.ts";

/** x Φ(x), of any shape. */
export class Gelu extends ElementWise {
  static readonly className = "ZooGelu";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return gelu({ x: onlyTensor(inputs) });
  }
}
tf.serialization.registerClass(Gelu);
