import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { instanceNorm } from "../ops/group-norm.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";

export interface InstanceNormConfig {
  name?: string;
  epsilon?: number;
  /** Whether there are γ and β; as in PyTorch there are none unless asked for. */
  affine?: boolean;
}

/**
 * Instance normalisation of each channel of each image: weight (γ) and bias (β), both [channels], where it is affine.
 *
 * [batch, ..., channels] -> the same
 */
export class InstanceNorm extends ElementWise {
  static readonly className = "ZooInstanceNorm";
  readonly epsilon: number;
  readonly affine: boolean;
  private gamma?: tfl.LayerVariable;
  private beta?: tfl.LayerVariable;

  constructor(config: InstanceNormConfig = {}) {
    super(config);
    this.epsilon = config.epsilon ?? 1e-5;
    this.affine = config.affine ?? false;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = [onlyShape(inputShape).at(-1) as number];
    if (this.affine) {
      this.gamma = this.newWeight("weight", shape, { fill: 1 });
      this.beta = this.newWeight("bias", shape);
    }
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { gamma, beta, epsilon } = this;
    return tf.tidy(() =>
      instanceNorm({ x: onlyTensor(inputs), gamma: gamma?.read(), beta: beta?.read() }, { epsilon }),
    );
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon, affine: this.affine };
  }
}
tf.serialization.registerClass(InstanceNorm);
