import * as tf from "@tensorflow/tfjs-core";
import { silu } from "../ops/silu.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyTensor } from "./shapes.ts";

/** x σ(x), of any shape. */
export class Silu extends ElementWise {
  static readonly className = "ZooSilu";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return silu({ x: onlyTensor(inputs) });
  }
}
tf.serialization.registerClass(Silu);
