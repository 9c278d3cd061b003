import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { attend } from "../ops/attend.ts";
import { rotary } from "../ops/rotary.ts";
import type { RotaryConfig } from "./self-attention.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface CachedSelfAttentionConfig {
  name?: string;
  heads: number;
  /** as the `SelfAttention` has it that the weights were trained with */
  rotary?: RotaryConfig;
}

/**
 * Causal self-attention of new tokens to those that came before and to themselves: what `SelfAttention` with `causal` gives
 * for the last tokens of a sequence, without computing the keys and values of the others again.
 *
 * [qkv [batch, tokens, 3 d], past keys [batch, p, d], past values [batch, p, d]] -> [o [batch, tokens, d], keys and
 * values of all [batch, p + tokens, d]]; p may be 0
 */
export class CachedSelfAttention extends ZooLayer {
  static readonly className = "ZooCachedSelfAttention";
  readonly heads: number;
  readonly rotary?: RotaryConfig;
  /**
   * TensorFlow.js runs a layer once for each of its outputs that a model needs, with the same tensors: all but the first
   * time the results are here already. (By then it may have freed the first of them; it has used that one.)
   */
  private readonly made = new WeakMap<tf.Tensor, { past: tf.Tensor; results: tf.Tensor[] }>();

  constructor(config: CachedSelfAttentionConfig) {
    super(config);
    this.heads = config.heads;
    this.rotary = config.rotary ?? undefined; // null in a deserialised config
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    const [qkv, pastKeys, pastValues] = inputs as tf.Tensor[];
    const known = this.made.get(qkv);
    if (known?.past === pastKeys && known.results.slice(1).every(({ isDisposed }) => !isDisposed)) return known.results;
    const { heads } = this;
    const results = tf.tidy(() => {
      const offset = pastKeys.shape[1] as number;
      const [q, k, v] = tf.split(qkv, 3, -1); // [batch, tokens, d] each
      const [Q, K] = this.rotary ? [q, k].map((x) => rotary({ x }, { ...this.rotary, heads, offset })) : [q, k];
      const keys = behind(pastKeys, K); // [batch, p + tokens, d]
      const values = behind(pastValues, v);
      return [attend({ q: Q, k: keys, v: values }, { heads, causal: true }), keys, values];
    });
    this.made.set(qkv, { past: pastKeys, results });
    return results;
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape[] {
    const [[batch, tokens], [, past, d]] = inputShape as tfl.Shape[];
    const all: tfl.Shape = [batch, tokens === null || past === null ? null : tokens + past, d];
    return [[batch, tokens, d], all, all];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { heads, rotary } = this;
    return { ...super.getConfig(), heads, rotary: rotary === undefined ? null : { ...rotary } };
  }
}
tf.serialization.registerClass(CachedSelfAttention);

/** Tokens after those of the past: not every backend joins a tensor without elements. */
export const behind = (past: tf.Tensor, x: tf.Tensor): tf.Tensor =>
  past.size === 0 ? tf.clone(x) : tf.concat([past, x], 1);
