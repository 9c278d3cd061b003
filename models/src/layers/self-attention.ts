import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { attend } from "../ops/attend.ts";
import { dense } from "../ops/dense.ts";
import { type RotaryAttrs, rotary } from "../ops/rotary.ts";
import { type DrawsAtRandom, dropoutFactors, type Randomness } from "./randomness.ts";
import { onlyShape } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** How queries and keys are rotated; the heads are the layer's. */
export type RotaryConfig = Pick<RotaryAttrs, "pairs" | "base">;

export interface SelfAttentionConfig {
  name?: string;
  heads: number;
  /** a token sees itself and those before it only */
  causal?: boolean;
  /** probability of dropping a weight of the attention in training, in [0, 1) */
  dropout?: number;
  /** positions are told by rotating queries and keys */
  rotary?: RotaryConfig;
}

/**
 * Attention of tokens to one another, without its projections: a token's query, key and value come in one row.
 *
 * qkv [batch, tokens, 3 d], or [qkv, lengths int32 [batch]] -> [batch, tokens, d]; tokens from a row's length on are not
 * looked at
 */
export class SelfAttention extends ZooLayer implements DrawsAtRandom {
  static readonly className: string = "ZooSelfAttention";
  readonly heads: number;
  readonly causal: boolean;
  readonly dropout: number;
  readonly rotary?: RotaryConfig;
  randomness: Randomness = { seed: 0, step: 0 };

  constructor(config: SelfAttentionConfig) {
    super(config);
    this.heads = config.heads;
    this.causal = config.causal ?? false;
    this.dropout = config.dropout ?? 0;
    this.rotary = config.rotary ?? undefined; // null in a deserialised config
  }

  get draws(): boolean {
    return this.dropout > 0;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const [x, lengths] = Array.isArray(inputs) ? inputs : [inputs];
    const { heads, causal } = this;
    return tf.tidy(() => {
      const [q, k, v] = this.queriesKeysValues(x); // [batch, tokens, d] each
      const [Q, K] = this.rotary ? [q, k].map((x) => rotary({ x }, { ...this.rotary, heads })) : [q, k];
      const dropout = kwargs.training && this.draws ? this.factors(q.shape, q.shape[1] as number) : undefined;
      return attend({ q: Q, k: K, v, lengths, dropout }, { heads, causal });
    });
  }

  protected queriesKeysValues(qkv: tf.Tensor): tf.Tensor[] {
    return tf.split(qkv, 3, -1);
  }

  private factors([batch, queries]: readonly number[], keys: number): tf.Tensor {
    return dropoutFactors([batch, this.heads, queries, keys], this.dropout, this.randomness, this.name);
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, tokens, channels] = onlyShape(inputShape);
    return [batch, tokens, (channels as number) / 3];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { heads, causal, dropout, rotary } = this;
    return { ...super.getConfig(), heads, causal, dropout, rotary: rotary === undefined ? null : { ...rotary } };
  }
}
tf.serialization.registerClass(SelfAttention);

/** What a projection makes, by the names that Hugging Face's BERT has for them. */
const projections = ["query", "key", "value"] as const;

/**
 * Attention of tokens to one another, with its projections in but not out, as BERT has them: query.weight, key.weight and
 * value.weight [d, d], and a bias [d] of each.
 *
 * x [batch, tokens, d], or [x, lengths int32 [batch]] -> [batch, tokens, d]
 */
export class ProjectedSelfAttention extends SelfAttention {
  static override readonly className = "ZooProjectedSelfAttention";
  private projected: readonly { weight: tfl.LayerVariable; bias: tfl.LayerVariable }[] = [];

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const d = onlyShape(inputShape)[2] as number;
    this.projected = projections.map((name) => ({
      weight: this.newWeight(`${name}.weight`, [d, d]),
      bias: this.newWeight(`${name}.bias`, [d]),
    }));
    this.built = true;
  }

  protected override queriesKeysValues(x: tf.Tensor): tf.Tensor[] {
    return this.projected.map(({ weight, bias }) => dense({ x, weight: weight.read(), bias: bias.read() }));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }
}
tf.serialization.registerClass(ProjectedSelfAttention);
