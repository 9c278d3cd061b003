import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { add } from "../ops/add.ts";
import type { Activation } from "../ops/batch-norm.ts";
import { onlyShape } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface AddConfig {
  name?: string;
  /** `relu` for max(sum, 0), in the same pass over memory */
  activation?: Activation;
}

/** Sum of two inputs of one shape. */
export class Add extends ZooLayer {
  static readonly className = "ZooAdd";

  readonly activation: Activation;

  constructor(config: AddConfig = {}) {
    super(config);
    this.activation = config.activation ?? undefined; // null in a deserialised config
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [a, b] = inputs as tf.Tensor[];
    return add({ a, b }, { activation: this.activation });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), activation: this.activation ?? null };
  }
}
tf.serialization.registerClass(Add);
