import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { attention } from "../ops/attention.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface SelfAttentionConfig {
  name?: string;
  heads: number;
}

/**
 * Attention of tokens to one another, without its projections: a token's query, key and value come in one row.
 *
 * [batch, tokens, 3 d] -> [batch, tokens, d]
 */
export class SelfAttention extends ZooLayer {
  static readonly className = "ZooSelfAttention";
  readonly heads: number;

  constructor(config: SelfAttentionConfig) {
    super(config);
    this.heads = config.heads;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [q, k, v] = tf.split(onlyTensor(inputs), 3, -1); // [batch, tokens, d] each
      return attention({ q, k, v }, { heads: this.heads });
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, tokens, channels] = onlyShape(inputShape);
    return [batch, tokens, (channels as number) / 3];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), heads: this.heads };
  }
}
tf.serialization.registerClass(SelfAttention);
