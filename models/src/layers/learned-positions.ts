import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { positionEmbedding } from "../ops/position-embedding.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface LearnedPositionsConfig {
  name?: string;
  /** the most tokens that a text may have */
  context: number;
}

/**
 * Adds to each token what is learned of its place in a text of any length up to `context`: weight [context, units].
 * A second input, of which only the number of tokens counts, says how many came before: those whose keys are kept.
 *
 * [batch, time, units] -> the same        [[batch, time, units], [batch, past, …]] -> the first's
 */
export class LearnedPositions extends ZooLayer {
  static readonly className = "ZooLearnedPositions";
  readonly context: number;
  private weight?: tfl.LayerVariable;

  constructor(config: LearnedPositionsConfig) {
    super(config);
    this.context = config.context;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const [, , units] = onlyShape(inputShape);
    this.weight = this.newWeight("weight", [this.context, units as number]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = onlyTensor(inputs);
    const past = Array.isArray(inputs) && inputs.length > 1 ? (inputs[1].shape[1] as number) : 0;
    const [, time, units] = x.shape as [number, number, number];
    if (past + time > this.context) {
      throw new InputError(`a text of ${past + time} tokens, and ${this.name} knows places up to ${this.context}`);
    }
    const weight = (this.weight as tfl.LayerVariable).read();
    return tf.tidy(() => {
      const rows = tf.slice(weight, [past, 0], [time, units]); // [time, units]
      return positionEmbedding({ x, positions: tf.expandDims(rows, 0) });
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), context: this.context };
  }
}
tf.serialization.registerClass(LearnedPositions);
