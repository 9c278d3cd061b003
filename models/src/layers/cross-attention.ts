import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { attend } from "../ops/attend.ts";
import { attentionWeights } from "../ops/attention.ts";
import { dense } from "../ops/dense.ts";
import { type DrawsAtRandom, dropoutFactors, type Randomness } from "./randomness.ts";
import { onlyShape } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface CrossAttentionConfig {
  name?: string;
  heads: number;
  /** probability of dropping a weight of the attention in training, in [0, 1) */
  dropout?: number;
}

/**
 * Attention of tokens to those of another sequence, without its projections: a key and its value come in one row.
 *
 * [q [batch, queries, d], kv [batch, keys, 2 d]], or with lengths int32 [batch] of kv behind -> [batch, queries, d]
 */
export class CrossAttention extends ZooLayer implements DrawsAtRandom {
  static readonly className: string = "ZooCrossAttention";
  readonly heads: number;
  readonly dropout: number;
  randomness: Randomness = { seed: 0, step: 0 };

  constructor(config: CrossAttentionConfig) {
    super(config);
    this.heads = config.heads;
    this.dropout = config.dropout ?? 0;
  }

  get draws(): boolean {
    return this.dropout > 0;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const [q, kv, lengths] = inputs as tf.Tensor[];
    const { heads } = this;
    return tf.tidy(() => {
      const [k, v] = tf.split(kv, 2, -1); // [batch, keys, d] each
      const shape = [q.shape[0], heads, q.shape[1] as number, k.shape[1] as number];
      const drops = kwargs.training && this.draws;
      const dropout = drops ? dropoutFactors(shape, this.dropout, this.randomness, this.name) : undefined;
      return attend({ q, k, v, lengths, dropout }, { heads });
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), heads: this.heads, dropout: this.dropout };
  }
}
tf.serialization.registerClass(CrossAttention);

/**
 * Attention to a memory, with its projections in but not out, as in PyTorch's `nn.MultiheadAttention`: in_proj_weight [d,
 * 3 d] and in_proj_bias [3 d] make queries with their first third, keys and values with the rest. So that a decoder that
 * takes step after step makes the memory's keys and values once, it is applied twice:
 *
 * memory [batch, keys, d] -> its keys and values [batch, keys, 2 d]
 * [x [batch, queries, d], keys and values [batch, keys, 2 d], lengths int32 [batch], if any] -> [batch, queries, d]
 */
export class MemoryAttention extends CrossAttention {
  static override readonly className = "ZooMemoryAttention";
  private weight?: tfl.LayerVariable;
  private bias?: tfl.LayerVariable;

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const d = onlyShape(inputShape)[2] as number;
    this.weight = this.newWeight("in_proj_weight", [d, 3 * d]);
    this.bias = this.newWeight("in_proj_bias", [3 * d]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const [x, ...memory] = Array.isArray(inputs) ? inputs : [inputs];
    const d = x.shape[2] as number;
    return tf.tidy(() => {
      if (memory.length === 0) return this.projected(x, d, 2 * d);
      return super.call([this.projected(x, 0, d), ...memory], kwargs);
    });
  }

  /**
   * Where x looks.
   *
   * @param x [batch, queries, d]  @param keysAndValues of the memory [batch, keys, 2 d]  @param lengths int32 [batch]
   * @returns [batch, heads, queries, keys]; rows sum to 1
   */
  weightsOf(x: tf.Tensor, keysAndValues: tf.Tensor, lengths?: tf.Tensor): tf.Tensor {
    const d = x.shape[2] as number;
    return tf.tidy(() => {
      const [k] = tf.split(keysAndValues, 2, -1); // [batch, keys, d]
      return attentionWeights({ q: this.projected(x, 0, d), k, lengths }, { heads: this.heads });
    });
  }

  /** x by so many columns of the projection. */
  private projected(x: tf.Tensor, first: number, count: number): tf.Tensor {
    const [weight, bias] = [this.weight, this.bias].map((variable) => (variable as tfl.LayerVariable).read());
    return dense({
      x,
      weight: tf.slice(weight, [0, first], [-1, count]), // [d, count]
      bias: tf.slice(bias, [first], [count]), // [count]
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, tokens, d] = onlyShape(inputShape);
    const alone = !Array.isArray(inputShape[0]) || inputShape.length === 1;
    return [batch, tokens, alone ? 2 * (d as number) : d];
  }
}
tf.serialization.registerClass(MemoryAttention);
