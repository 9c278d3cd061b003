import * as tf from "@tensorflow/tfjs-core";
import { type LeakyReluAttrs, leakyRelu } from "../ops/leaky-relu.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyTensor } from "./shapes.ts";

export interface LeakyReLUConfig extends LeakyReluAttrs {
  name?: string;
}

/** x, or a part of it below 0, of any shape. */
export class LeakyReLU extends ElementWise {
  static readonly className = "ZooLeakyReLU";
  readonly slope: number;

  constructor(config: LeakyReLUConfig = {}) {
    super(config);
    this.slope = config.slope ?? 0.01;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return leakyRelu({ x: onlyTensor(inputs) }, { slope: this.slope });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), slope: this.slope };
  }
}
tf.serialization.registerClass(LeakyReLU);
