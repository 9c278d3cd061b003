import * as tf from "@tensorflow/tfjs-core";
import { type LocalResponseNormAttrs, localResponseNorm } from "../ops/local-response-norm.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyTensor } from "./shapes.ts";

export interface LocalResponseNormConfig extends LocalResponseNormAttrs {
  name?: string;
}

/** Krizhevsky's local response normalisation over neighbouring channels; defaults are the paper's. */
export class LocalResponseNorm extends ElementWise {
  static readonly className = "ZooLocalResponseNorm";
  readonly attrs: Required<LocalResponseNormAttrs>;

  constructor({ size = 5, alpha = 1e-4, beta = 0.75, k = 2, ...config }: LocalResponseNormConfig = {}) {
    super(config);
    this.attrs = { size, alpha, beta, k };
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => localResponseNorm({ x: onlyTensor(inputs) }, this.attrs));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.attrs };
  }
}
tf.serialization.registerClass(LocalResponseNorm);
