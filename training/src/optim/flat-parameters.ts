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
  private readonly shapes: number[][];
  private readonly sizes: number[];

  constructor(variables: readonly WeightVariable[]) {
    this.variables = variables;
    this.shapes = variables.map(({ shape }) => shape as number[]);
    this.sizes = this.shapes.map((shape) => tf.util.sizeFromShape(shape));
    this.size = this.sizes.reduce((sum, size) => sum + size, 0);
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

  /** One number a weight, repeated for each of its elements: [size]. */
  expand(value: (variable: WeightVariable) => number): tf.Tensor1D {
    const flat = new Float32Array(this.size);
    let offset = 0;
    for (const [i, variable] of this.variables.entries()) {
      flat.fill(value(variable), offset, offset + this.sizes[i]);
      offset += this.sizes[i];
    }
    return tf.tensor1d(flat);
  }
}
