import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layerScale } from "../ops/layer-scale.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";

export interface LayerScaleConfig {
  name?: string;
  /** what every factor begins with */
  initial: number;
}

/**
 * A learned factor for each channel: value (γ) [d].
 *
 * [..., d] -> [..., d]
 */
export class LayerScale extends ElementWise {
  static readonly className = "ZooLayerScale";
  readonly initial: number;
  private gamma?: tfl.LayerVariable;

  constructor(config: LayerScaleConfig) {
    super(config);
    this.initial = config.initial;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    this.gamma = this.newWeight("value", [onlyShape(inputShape).at(-1) as number], { fill: this.initial });
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => layerScale({ x: onlyTensor(inputs), gamma: (this.gamma as tfl.LayerVariable).read() }));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), initial: this.initial };
  }
}
tf.serialization.registerClass(LayerScale);
