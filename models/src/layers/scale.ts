import * as tf from "@tensorflow/tfjs-core";
import { ElementWise } from "./element-wise.ts";
import { onlyTensor } from "./shapes.ts";

export interface ScaleConfig {
  name?: string;
  factor: number;
}

/** The input times a constant, of any shape. */
export class Scale extends ElementWise {
  static readonly className = "ZooScale";
  readonly factor: number;

  constructor(config: ScaleConfig) {
    super(config);
    this.factor = config.factor;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(onlyTensor(inputs), this.factor);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), factor: this.factor };
  }
}
tf.serialization.registerClass(Scale);
