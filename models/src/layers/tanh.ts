import * as tf from "@tensorflow/tfjs-core";
import { tanh } from "../ops/tanh.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyTensor } from "./shapes.ts";

/** tanh x, of any shape. */
export class Tanh extends ElementWise {
  static readonly className = "ZooTanh";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tanh({ x: onlyTensor(inputs) });
  }
}
tf.serialization.registerClass(Tanh);
