import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { attend } from "../ops/attend.ts";
import { type DrawsAtRandom, dropoutFactors, type Randomness } from "./randomness.ts";
import { onlyShape } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface BiasedAttentionConfig {
  name?: string;
  heads: number;
  /** the last query sees all keys, each before it one fewer */
  causal?: boolean;
  /** what scores are multiplied by; 1 / √(channels of a head) unless given, and T5 has 1 */
  scale?: number;
  /** probability of dropping a weight of the attention in training, in [0, 1) */
  dropout?: number;
}

/**
 * Attention whose scores may get a bias, without its projections: queries, keys and values come apart.
 *
 * [q [batch, queries, d], k [batch, keys, d], v [batch, keys, d]], behind them a bias [heads, queries, keys] or lengths
 * int32 [batch] of the keys or both -> [batch, queries, d]
 */
export class BiasedAttention extends ZooLayer implements DrawsAtRandom {
  static readonly className = "ZooBiasedAttention";
  readonly heads: number;
  readonly causal: boolean;
  readonly scale?: number;
  readonly dropout: number;
  randomness: Randomness = { seed: 0, step: 0 };

  constructor(config: BiasedAttentionConfig) {
    super(config);
    this.heads = config.heads;
    this.causal = config.causal ?? false;
    this.scale = config.scale ?? undefined; // null in a deserialised config
    this.dropout = config.dropout ?? 0;
  }

  get draws(): boolean {
    return this.dropout > 0;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const [q, k, v, ...rest] = inputs as tf.Tensor[];
    const [lengths, bias] = [1, 3].map((rank) => rest.find((tensor) => tensor.rank === rank));
    const { heads, causal, scale } = this;
    return tf.tidy(() => {
      const dropout = kwargs.training && this.draws ? this.factors(q.shape, k.shape) : undefined;
      return attend({ q, k, v, lengths, bias, dropout }, { heads, causal, scale });
    });
  }

  private factors([batch, queries]: readonly number[], [, keys]: readonly number[]): tf.Tensor {
    return dropoutFactors([batch, this.heads, queries, keys], this.dropout, this.randomness, this.name);
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { heads, causal, scale = null, dropout } = this;
    return { ...super.getConfig(), heads, causal, scale, dropout };
  }
}
tf.serialization.registerClass(BiasedAttention);
