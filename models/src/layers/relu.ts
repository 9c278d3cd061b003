import * as tf from "@tensorflow/tfjs-core";
import { relu } from "../ops/relu.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyTensor } from "./shapes.ts";

/** max(x, 0), any shape. */
export class ReLU extends ElementWise {
  static readonly className = "ZooReLU";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return relu({ x: onlyTensor(inputs) });
  }
}
tf.serialization.registerClass(ReLU);
