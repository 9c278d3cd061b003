import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { type TokenPoolAttrs, tokenPool } from "../ops/token-pool.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface TokenPoolConfig extends TokenPoolAttrs {
  name?: string;
}

/** The first of an image's tokens, or their mean: [batch, tokens, d] -> [batch, d]. */
export class TokenPool extends ZooLayer {
  static readonly className = "ZooTokenPool";
  readonly pool: TokenPoolAttrs["pool"];

  constructor(config: TokenPoolConfig) {
    super(config);
    this.pool = config.pool;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tokenPool({ x: onlyTensor(inputs) }, { pool: this.pool }));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, , d] = onlyShape(inputShape);
    return [batch, d];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), pool: this.pool };
  }
}
tf.serialization.registerClass(TokenPool);
