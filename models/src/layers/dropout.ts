import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { dropout } from "../ops/dropout.ts";
import { type DrawsAtRandom, dropoutFactors, type Randomness } from "./randomness.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface DropoutConfig {
  name?: string;
  /** probability of dropping a unit, in [0, 1) */
  rate: number;
}

/** Drops units at random in training, any shape. */
export class Dropout extends ZooLayer implements DrawsAtRandom {
  static readonly className: string = "ZooDropout";
  readonly rate: number;
  randomness: Randomness = { seed: 0, step: 0 };

  constructor(config: DropoutConfig) {
    super(config);
    this.rate = config.rate;
  }

  get draws(): boolean {
    return this.rate > 0;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const x = onlyTensor(inputs);
    if (!kwargs.training || this.rate === 0) return tf.clone(x);
    const shape = this.maskShape(x.shape);
    return tf.tidy(() => dropout({ x, mask: dropoutFactors(shape, this.rate, this.randomness, this.name) }));
  }

  /** The shape of the factors: 1 along axes whose elements are dropped together. */
  protected maskShape(shape: readonly number[]): number[] {
    return [...shape];
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.rate };
  }
}
tf.serialization.registerClass(Dropout);

/**
 * Drops whole channels of an image (Tompson et al. 2015, "Efficient object localization using convolutional networks",
 * sec. 3.2): neighbouring pixels are so alike that to drop one of them takes nothing away.
 *
 * [batch, ..., channels] -> the same
 */
export class SpatialDropout extends Dropout {
  static override readonly className = "ZooSpatialDropout";

  protected override maskShape(shape: readonly number[]): number[] {
    return shape.map((size, axis) => (axis === 0 || axis === shape.length - 1 ? size : 1));
  }
}
tf.serialization.registerClass(SpatialDropout);

/**
 * Drops what a residual block would add, for some images of a batch (Huang et al. 2016, "Deep networks with stochastic
 * depth", sec. 3); it stands at the end of the residual branch.
 *
 * [batch, ...] -> the same
 */
export class StochasticDepth extends Dropout {
  static override readonly className = "ZooStochasticDepth";

  protected override maskShape([batch, ...rest]: readonly number[]): number[] {
    return [batch, ...rest.map(() => 1)];
  }
}
tf.serialization.registerClass(StochasticDepth);
