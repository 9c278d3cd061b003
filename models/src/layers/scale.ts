import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface ScaleConfig {
  name?: string;
  factor: number;
}

/** The input times a constant, of any shape. */
export class Scale extends ZooLayer {
  static readonly className = "ZooScale";
  readonly factor: number;

  constructor(config: ScaleConfig) {
    super(config);
    this.factor = config.factor;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(onlyTensor(inputs), this.factor);
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), factor: this.factor };
  }
}
tf.serialization.registerClass(Scale);
