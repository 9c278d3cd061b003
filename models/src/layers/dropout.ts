import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { dropout } from "../ops/dropout.ts";
import { randomStream } from "../random.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface DropoutConfig {
  name?: string;
  /** probability of dropping a unit, in [0, 1) */
  rate: number;
}

/** Drops units at random in training, any shape. */
export class Dropout extends ZooLayer {
  static readonly className = "ZooDropout";
  readonly rate: number;
  /** Where the next mask comes from: the trainer sets it before every step, so that a resumed run draws the same. */
  randomness: { seed: number; step: number } = { seed: 0, step: 0 };

  constructor(config: DropoutConfig) {
    super(config);
    this.rate = config.rate;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const x = onlyTensor(inputs);
    if (!kwargs.training || this.rate === 0) return tf.clone(x);
    const { seed, step } = this.randomness;
    const random = randomStream(seed, "dropout", this.name, step);
    const kept = 1 / (1 - this.rate);
    const mask = Float32Array.from({ length: x.size }, () => (random.uniform() < this.rate ? 0 : kept));
    return tf.tidy(() => dropout({ x, mask: tf.tensor(mask, x.shape) }));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.rate };
  }
}
tf.serialization.registerClass(Dropout);

/** Sets where every dropout layer of a model draws its next mask from. */
export function seedDropout(model: tfl.LayersModel, seed: number, step: number): void {
  for (const layer of model.layers) if (layer instanceof Dropout) layer.randomness = { seed, step };
}
