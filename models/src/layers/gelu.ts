import * as tf from "@tensorflow/tfjs-core";
import { type GeluAttrs, gelu } from "../ops/gelu.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyTensor } from "./shapes.ts";

export interface GeluConfig extends GeluAttrs {
  name?: string;
}

/** x Φ(x), of any shape. */
export class Gelu extends ElementWise {
  static readonly className = "ZooGelu";
  readonly approximation: "none" | "tanh";

  constructor(config: GeluConfig = {}) {
    super(config);
    this.approximation = config.approximation ?? "none";
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return gelu({ x: onlyTensor(inputs) }, { approximation: this.approximation });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), approximation: this.approximation };
  }
}
tf.serialization.registerClass(Gelu);
