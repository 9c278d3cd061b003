import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export interface TokenPoolAttrs {
  /** what stands for an image: its first token (the class token), or the mean of all */
  pool: "first" | "mean";
}

/**
 * One vector of an image's tokens.
 *
 *   first: y = x[0]        ∂L/∂x = [∂L/∂y; 0 …]
 *   mean:  y = Σ x / n     ∂L/∂x = [∂L/∂y / n; …]        n tokens
 *
 * @param x [batch, tokens, d]
 * @returns [batch, d]
 */
export const tokenPool: Op<{ x: tf.Tensor }, TokenPoolAttrs> = differentiable("TokenPool", {
  saved: ["x"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, { pool }: TokenPoolAttrs) {
    const [batch, , d] = x.shape;
    const y = pool === "mean" ? tf.mean(x, 1) : tf.reshape(tf.slice(x, [0, 0, 0], [batch, 1, d]), [batch, d]);
    return { output: y, saved: { x } };
  },

  backward(dy, { x }, { pool }) {
    const [batch, tokens, d] = (x as tf.Tensor).shape;
    const one = tf.reshape(dy, [batch, 1, d]);
    const place: [number, number][] = [
      [0, 0],
      [0, tokens - 1],
      [0, 0],
    ];
    return { x: pool === "mean" ? tf.tile(tf.div(one, tokens), [1, tokens, 1]) : tf.pad(one, place) };
  },
});
