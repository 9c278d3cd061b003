import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { concat } from "../ops/concat.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** The channels of two inputs side by side: [..., a] and [..., b] -> [..., a + b]. */
export class Concat extends ZooLayer {
  static readonly className = "ZooConcat";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [a, b] = inputs as tf.Tensor[];
    return concat({ a, b });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [a, b] = inputShape as tfl.Shape[];
    if (a.length !== b.length || a.slice(1, -1).some((size, axis) => size !== b[axis + 1])) {
      throw new InputError(`${this.name} got shapes [${a}] and [${b}]; expected two that differ in the last axis only`);
    }
    return [...a.slice(0, -1), (a.at(-1) as number) + (b.at(-1) as number)];
  }
}
tf.serialization.registerClass(Concat);
