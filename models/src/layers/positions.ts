import * as tf from "@tensorflow/tfjs-core";
import { rotary } from "../ops/rotary.ts";
import { sinusoidalPositions } from "../ops/sinusoidal-positions.ts";
import { ElementWise } from "./element-wise.ts";
import type { RotaryConfig } from "./self-attention.ts";

export interface SinusoidalPositionsConfig {
  name?: string;
  /** what the tokens are multiplied by first */
  scale?: number;
}

/**
 * Adds to each token waves that tell its place.
 *
 * x [batch, tokens, d], or [x, past [batch, p, ...]] where p tokens came before -> [batch, tokens, d]
 */
export class SinusoidalPositions extends ElementWise {
  static readonly className = "ZooSinusoidalPositions";
  readonly scale: number;

  constructor(config: SinusoidalPositionsConfig = {}) {
    super(config);
    this.scale = config.scale ?? 1;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x, past] = Array.isArray(inputs) ? inputs : [inputs];
    return tf.tidy(() => sinusoidalPositions({ x }, { scale: this.scale, offset: past?.shape[1] ?? 0 }));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), scale: this.scale };
  }
}
tf.serialization.registerClass(SinusoidalPositions);

export interface RotaryPositionsConfig extends RotaryConfig {
  name?: string;
  heads?: number;
}

/**
 * Turns each pair of a token's channels by an angle that tells its place; for queries and for keys alike. `SelfAttention`
 * does it by itself when asked to.
 *
 * x [batch, tokens, d], or [x, past [batch, p, ...]] where p tokens came before -> [batch, tokens, d]
 */
export class RotaryPositions extends ElementWise {
  static readonly className = "ZooRotaryPositions";
  readonly heads: number;
  readonly pairs: NonNullable<RotaryConfig["pairs"]>;
  readonly base: number;

  constructor(config: RotaryPositionsConfig = {}) {
    super(config);
    this.heads = config.heads ?? 1;
    this.pairs = config.pairs ?? "interleaved";
    this.base = config.base ?? 10000;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x, past] = Array.isArray(inputs) ? inputs : [inputs];
    const { heads, pairs, base } = this;
    return tf.tidy(() => rotary({ x }, { heads, pairs, base, offset: past?.shape[1] ?? 0 }));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), heads: this.heads, pairs: this.pairs, base: this.base };
  }
}
tf.serialization.registerClass(RotaryPositions);
