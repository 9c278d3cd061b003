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

/** Weights that are read and written together, as tensors of their shapes or as one vector. */
export class FlatParameters {
  readonly variables: readonly WeightVariable[];
  readonly size: number;
  readonly shapes: readonly number[][];

  constructor(variables: readonly WeightVariable[]) {
    this.variables = variables;
    this.shapes = variables.map(({ shape }) => shape as number[]);
    this.size = this.shapes.reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
  }

  /** The weights as they are. They change when others are written. */
  values(): tf.Variable[] {
    return this.variables.map((variable) => variable.read() as tf.Variable);
  }

  /** Gives the weights other values, in their order. */
  assign(values: readonly tf.Tensor[]): void {
    for (const [i, variable] of this.variables.entries()) variable.write(values[i]);
  }

  /** The weights as one vector: [size]. */
  read(): tf.Tensor1D {
    return ops.join(this.values());
  }

  /** Writes a vector [size] into the weights. */
  write(flat: tf.Tensor1D): void {
    tf.tidy(() => this.assign(ops.split(flat, this.shapes)));
  }
}
