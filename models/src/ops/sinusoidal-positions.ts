import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";

export interface SinusoidalPositionsAttrs {
  /** s, 1 unless given (the paper multiplies embeddings by √d) */
  scale?: number;
  /** how many tokens came before these, in a cache */
  offset?: number;
}

/**
 * Adds to each token waves that tell its place (Vaswani et al. 2017, sec. 3.5; the factor is sec. 3.4's).
 *
 *   y[p] = s x[p] + E[p]        E[p, 2i] = sin(p / 10000^(2i / d))        E[p, 2i + 1] = cos(p / 10000^(2i / d))
 *
 * Backward:
 *
 *   ∂L/∂x = s ∂L/∂y
 *
 * @param x [batch, tokens, d]; the first token is at place p = offset
 * @returns [batch, tokens, d]
 */
export const sinusoidalPositions: Op<{ x: tf.Tensor }, SinusoidalPositionsAttrs> = differentiable(
  "SinusoidalPositions",
  {
    gradients: ["x"],

    forward({ x }: { x: tf.Tensor }, { scale = 1, offset = 0 }: SinusoidalPositionsAttrs) {
      const [, tokens, d] = x.shape;
      const waves = tf.tensor2d(table(d, offset, tokens), [tokens, d]);
      return { output: tf.add(scale === 1 ? x : tf.mul(x, scale), waves), saved: {} };
    },

    backward(dy, _, { scale = 1 }) {
      return { x: scale === 1 ? dy : tf.mul(dy, scale) };
    },
  },
);

/** E of the first places, by d: as many as were asked for so far. */
const tables = new Map<number, Float32Array>();

/** E [tokens, d] from place `offset` on. */
function table(d: number, offset: number, tokens: number): Float32Array {
  const end = offset + tokens;
  let known = tables.get(d);
  if (known === undefined || known.length < end * d) {
    // Decoding asks for one place more each time.
    const places = Math.max(end, 2 * Math.floor((known?.length ?? 0) / d));
    known = Float32Array.from({ length: places * d }, (_, at) => {
      const [place, channel] = [Math.floor(at / d), at % d];
      const angle = place / 10000 ** ((channel - (channel % 2)) / d);
      return channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    });
    tables.set(d, known);
  }
  return known.slice(offset * d, end * d);
}
