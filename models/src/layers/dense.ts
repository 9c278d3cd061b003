import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { dense } from "../ops/dense.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface DenseConfig {
  name?: string;
  units: number;
  useBias?: boolean;
}

/**
 * Affine map of the last axis: weight [in, units], bias [units].
 *
 * [..., in] -> [..., units]
 */
export class Dense extends ZooLayer {
  static readonly className: string = "ZooDense";
  readonly units: number;
  readonly useBias: boolean;
  protected readonly weightName: string = "weight";
  protected readonly biasName: string = "bias";
  private weight?: tfl.LayerVariable;
  private bias?: tfl.LayerVariable;

  constructor(config: DenseConfig) {
    super(config);
    this.units = config.units;
    this.useBias = config.useBias ?? true;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    this.weight = this.newWeight(this.weightName, [onlyShape(inputShape).at(-1) as number, this.units]);
    if (this.useBias) this.bias = this.newWeight(this.biasName, [this.units]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const weight = (this.weight as tfl.LayerVariable).read();
    return tf.tidy(() => dense({ x: onlyTensor(inputs), weight, bias: this.bias?.read() }));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return [...onlyShape(inputShape).slice(0, -1), this.units];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), units: this.units, useBias: this.useBias };
  }
}
tf.serialization.registerClass(Dense);
