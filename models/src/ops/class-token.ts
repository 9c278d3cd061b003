import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export type ClassTokenInputs = { x: tf.Tensor; token: tf.Tensor };

/**
 * Puts a learned token before those of an image; the network's answer is read from its place (Dosovitskiy et al. 2021,
 * eq. 1, after BERT).
 *
 *   y = [t; x]        ∂L/∂x = (∂L/∂y)[1 …]        ∂L/∂t = Σ (∂L/∂y)[0] over the batch
 *
 * @param x [batch, tokens, d]  @param token t [1, 1, d]
 * @returns [batch, 1 + tokens, d]
 */
export const classToken: Op<ClassTokenInputs, object> = differentiable("ClassToken", {
  gradients: ["x", "token"],

  forward({ x, token }: ClassTokenInputs) {
    return { output: tf.concat([tf.tile(token, [x.shape[0], 1, 1]), x], 1), saved: {} };
  },

  backward(dy) {
    const [batch, tokens, d] = dy.shape;
    return {
      x: () => tf.slice(dy, [0, 1, 0], [batch, tokens - 1, d]), // [batch, tokens, d]
      token: () => tf.sum(tf.slice(dy, [0, 0, 0], [batch, 1, d]), 0, true), // [1, 1, d]
    };
  },
});
