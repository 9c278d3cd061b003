import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { groupNorm } from "../ops/group-norm.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";

export interface GroupNormConfig {
  name?: string;
  /** of channels, which are a multiple of it */
  groups: number;
  epsilon?: number;
}

/**
 * Group normalisation of each example: weight (γ) and bias (β), both [channels].
 *
 * [batch, ..., channels] -> the same
 */
export class GroupNorm extends ElementWise {
  static readonly className = "ZooGroupNorm";
  readonly groups: number;
  readonly epsilon: number;
  private gamma?: tfl.LayerVariable;
  private beta?: tfl.LayerVariable;

  constructor(config: GroupNormConfig) {
    super(config);
    this.groups = config.groups;
    this.epsilon = config.epsilon ?? 1e-5;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = [onlyShape(inputShape).at(-1) as number];
    this.gamma = this.newWeight("weight", shape, { fill: 1 });
    this.beta = this.newWeight("bias", shape);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [gamma, beta] = [this.gamma, this.beta] as tfl.LayerVariable[];
    const { groups, epsilon } = this;
    return tf.tidy(() =>
      groupNorm({ x: onlyTensor(inputs), gamma: gamma.read(), beta: beta.read() }, { groups, epsilon }),
    );
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), groups: this.groups, epsilon: this.epsilon };
  }
}
tf.serialization.registerClass(GroupNorm);
