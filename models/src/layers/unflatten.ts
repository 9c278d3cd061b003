import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { type UnflattenAttrs, unflatten } from "../ops/unflatten.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface UnflattenConfig extends UnflattenAttrs {
  name?: string;
}

/** Vectors in PyTorch's order as images: [batch, channels · height · width] -> [batch, height, width, channels]. */
export class Unflatten extends ZooLayer {
  static readonly className = "ZooUnflatten";
  readonly shape: UnflattenAttrs["shape"];

  constructor(config: UnflattenConfig) {
    super(config);
    this.shape = config.shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return unflatten({ x: onlyTensor(inputs) }, { shape: this.shape });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return [onlyShape(inputShape)[0], ...this.shape];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), shape: [...this.shape] };
  }
}
tf.serialization.registerClass(Unflatten);
