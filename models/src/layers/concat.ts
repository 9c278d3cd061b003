import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { concatAll } from "../ops/concat.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** The channels of its inputs side by side: [..., channelsᵢ], … -> [..., Σ channelsᵢ]. */
export class Concat extends ZooLayer {
  static readonly className = "ZooConcat";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return concatAll(inputs as tf.Tensor[]);
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shapes = inputShape as tfl.Shape[];
    const [first] = shapes;
    const fits = (shape: tfl.Shape) =>
      shape.length === first.length && shape.slice(1, -1).every((size, axis) => size === first[axis + 1]);
    if (!shapes.every(fits)) {
      const got = shapes.map((shape) => `[${shape}]`).join(" and ");
      throw new InputError(`${this.name} got shapes ${got}; expected such that differ in the last axis only`);
    }
    return [...first.slice(0, -1), shapes.reduce((sum, shape) => sum + (shape.at(-1) as number), 0)];
  }
}
tf.serialization.registerClass(Concat);
