import * as tf from "@tensorflow/tfjs-core";
import { sigmoid } from "../ops/sigmoid.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyTensor } from "./shapes.ts";

/** 1 / (1 + e⁻ˣ), of any shape. */
export class Sigmoid extends ElementWise {
  static readonly className = "ZooSigmoid";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return sigmoid({ x: onlyTensor(inputs) });
  }
}
tf.serialization.registerClass(Sigmoid);
