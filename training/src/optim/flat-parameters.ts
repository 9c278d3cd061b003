import * as tf from "@tensorflow/tfjs-core";
import { ops } from "@tfjs-zoo/models";

/** A weight of a network: what tfjs-layers' LayerVariable offers. */
export interface WeightVariable {
  readonly originalName: string;
  readonly shape: readonly (number | null)[];
  readonly trainable: boolean;
  read(): tf.Tensor;
  write(value: tf.Tensor): unknown;
}

/**
 * Weights seen as one vector, so that an optimizer's update is a handful of ops on one tensor and not a handful for
 * every weight.
 */
export class FlatParameters {
  readonly variables: readonly WeightVariable[];
  readonly size: number;
  readonly shapes: readonly number[][];

  constructor(variables: readonly WeightVariable[]) {
    this.variables = variables;
    this.shapes = variables.map(({ shape }) => shape as number[]);
    this.size = this.shapes.reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
  }

  /** One tensor a weight, joined: [size]. */
  join(tensors: readonly tf.Tensor[]): tf.Tensor1D {
    return ops.join(tensors);
  }

  /** The weights as they are: [size]. */
  read(): tf.Tensor1D {
    return this.join(this.variables.map((variable) => variable.read()));
  }

  /** Writes a vector [size] into the weights. */
  write(flat: tf.Tensor1D): void {
    tf.tidy(() => {
      const parts = ops.split(flat, this.shapes);
      for (const [i, variable] of this.variables.entries()) variable.write(parts[i]);
    });
  }
}
