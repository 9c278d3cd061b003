import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layerNorm } from "../ops/layer-norm.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";

export interface LayerNormConfig {
  name?: string;
  epsilon?: number;
}

/**
 * Layer normalisation of the last axis: weight (γ) and bias (β), both [d].
 *
 * [..., d] -> [..., d]
 */
export class LayerNorm extends ElementWise {
  static readonly className = "ZooLayerNorm";
  readonly epsilon: number;
  private gamma?: tfl.LayerVariable;
  private beta?: tfl.LayerVariable;

  constructor(config: LayerNormConfig = {}) {
    super(config);
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
    return tf.tidy(() =>
      layerNorm({ x: onlyTensor(inputs), gamma: gamma.read(), beta: beta.read() }, { epsilon: this.epsilon }),
    );
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon };
  }
}
tf.serialization.registerClass(LayerNorm);
