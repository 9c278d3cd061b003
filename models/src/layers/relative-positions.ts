import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { relativePositions } from "../ops/relative-positions.ts";
import { onlyShape } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface RelativePositionsConfig {
  name?: string;
  heads: number;
  /** kinds of distances */
  buckets?: number;
  /** from this distance on all tokens share a bucket */
  maxDistance?: number;
  /** a token sees itself and those before it only */
  causal?: boolean;
}

/**
 * A bias for the scores of self-attention by how far tokens are apart: weight [buckets, heads]. Of its inputs only the
 * numbers of tokens count. The same bias is for every row of a batch, and for every layer of a stack.
 *
 * x [batch, tokens, d], or [x, past [batch, p, …]] where p tokens came before -> [heads, tokens, p + tokens]
 */
export class RelativePositions extends ZooLayer {
  static readonly className = "ZooRelativePositions";
  readonly heads: number;
  readonly buckets: number;
  readonly maxDistance: number;
  readonly causal: boolean;
  private table?: tfl.LayerVariable;

  constructor(config: RelativePositionsConfig) {
    super(config);
    this.heads = config.heads;
    this.buckets = config.buckets ?? 32;
    this.maxDistance = config.maxDistance ?? 128;
    this.causal = config.causal ?? false;
  }

  override build(): void {
    this.table = this.newWeight("weight", [this.buckets, this.heads]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x, past] = Array.isArray(inputs) ? inputs : [inputs];
    const queries = x.shape[1] as number;
    const { causal, maxDistance } = this;
    const table = (this.table as tfl.LayerVariable).read();
    return tf.tidy(() =>
      relativePositions({ table }, { queries, keys: (past?.shape[1] ?? 0) + queries, causal, maxDistance }),
    );
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [, tokens] = onlyShape(inputShape);
    const alone = !Array.isArray(inputShape[0]) || inputShape.length === 1;
    return [this.heads, tokens, alone ? tokens : null];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { heads, buckets, maxDistance, causal } = this;
    return { ...super.getConfig(), heads, buckets, maxDistance, causal };
  }
}
tf.serialization.registerClass(RelativePositions);
