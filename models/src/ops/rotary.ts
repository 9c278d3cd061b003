import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

export interface RotaryAttrs {
  /** h: each of the h parts of d / h channels is rotated alike */
  heads?: number;
  /**
   * Which channels of a head make a pair: 2i and 2i + 1 as in the paper (`interleaved`), or i and i + dₕ / 2 as in
   * GPT-NeoX and Llama (`halves`)
   */
  pairs?: "interleaved" | "halves";
  /** b, 10000 unless given */
  base?: number;
  /** how many tokens came before these, in a cache */
  offset?: number;
}

/**
 * Rotary position embedding (Su et al. 2021, "RoFormer", eq. 34): turns each pair of channels (a, b) of the token at place p
 * by an angle that grows with p, so that a product of a query and a key depends on how far they are apart.
 *
 *   θ_i = p b^(−2i / dₕ)        a′ = a cos θ_i − b sin θ_i        b′ = a sin θ_i + b cos θ_i        i < dₕ / 2
 *
 * Backward: the gradient turned back, by −θ_i.
 *
 * @param x [batch, tokens, d]; the first token is at place p = offset
 * @returns [batch, tokens, d]
 * @throws InputError when d is no multiple of twice the heads
 */
export const rotary: Op<{ x: tf.Tensor }, RotaryAttrs> = differentiable("Rotary", {
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, attrs: RotaryAttrs) {
    const { heads = 1 } = attrs;
    if (x.rank !== 3 || (x.shape[2] as number) % (2 * heads) !== 0) {
      throw new InputError(
        `rotary positions got x [${x.shape}] and ${heads} head(s); expected [batch, tokens, d], d a multiple of twice the heads`,
      );
    }
    return { output: turned(x, attrs, 1), saved: {} };
  },

  backward(dy, _, attrs) {
    return { x: turned(dy, attrs, -1) };
  },
});

/** x with each pair turned by its angle, or (−1) turned back. */
function turned(
  x: tf.Tensor,
  { heads = 1, pairs = "interleaved", base = 10000, offset = 0 }: RotaryAttrs,
  direction: 1 | -1,
): tf.Tensor {
  const [batch, tokens, d] = x.shape;
  const half = d / heads / 2;
  const halves = pairs === "halves";
  // The members of a pair are the two parts of the last axis.
  const apart = halves ? [batch, tokens, heads, 2 * half] : [batch, tokens, heads * half, 2];
  const broadcast = halves ? [tokens, 1, half] : [tokens, heads * half, 1];
  const wave = (f: (angle: number) => number) => {
    const width = halves ? half : heads * half;
    const values = Float32Array.from({ length: tokens * width }, (_, at) =>
      f((offset + Math.floor(at / width)) * base ** (-((at % width) % half) / half)),
    );
    return tf.tensor(values, broadcast);
  };
  const [cos, sin] = [wave(Math.cos), wave((angle) => direction * Math.sin(angle))];
  const [a, b] = tf.split(tf.reshape(x, apart), 2, -1);
  const turnedPair = [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(a, sin), tf.mul(b, cos))];
  return tf.reshape(tf.concat(turnedPair, -1), x.shape);
}
