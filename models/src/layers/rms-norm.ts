import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { rmsNorm } from "../ops/rms-norm.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";

export interface RmsNormConfig {
  name?: string;
  epsilon?: number;
}

/**
 * Root mean square normalisation of the last axis: weight (γ) [d], and no bias.
 *
 * [..., d] -> [..., d]
 */
export class RmsNorm extends ElementWise {
  static readonly className = "ZooRmsNorm";
  readonly epsilon: number;
  private gamma?: tfl.LayerVariable;

  constructor(config: RmsNormConfig = {}) {
    super(config);
    this.epsilon = config.epsilon ?? 1e-6;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    this.gamma = this.newWeight("weight", [onlyShape(inputShape).at(-1) as number], { fill: 1 });
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const gamma = (this.gamma as tfl.LayerVariable).read();
    return tf.tidy(() => rmsNorm({ x: onlyTensor(inputs), gamma }, { epsilon: this.epsilon }));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon };
  }
}
tf.serialization.registerClass(RmsNorm);
