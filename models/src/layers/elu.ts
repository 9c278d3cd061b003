import * as tf from "@tensorflow/tfjs-core";
import { type EluAttrs, elu } from "../ops/elu.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyTensor } from "./shapes.ts";

export interface EluConfig extends EluAttrs {
  name?: string;
}

/** x, or α (eˣ − 1) below 0, of any shape. */
export class Elu extends ElementWise {
  static readonly className = "ZooElu";
  readonly alpha: number;

  constructor(config: EluConfig = {}) {
    super(config);
    this.alpha = config.alpha ?? 1;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return elu({ x: onlyTensor(inputs) }, { alpha: this.alpha });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), alpha: this.alpha };
  }
}
tf.serialization.registerClass(Elu);
