import type { DenseAttrs } from "../../ops/dense.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";

/** y[r, o] = b[o] + Σ_i x[r, i] W[i, o], the leading axes of x taken as one */
export function denseTextbook({ x, weight, bias }: Inputs64, { transposed }: DenseAttrs): Array64[] {
  const [inSize, outSize] = transposed ? [...weight.shape].reverse() : weight.shape;
  const [alongIn, alongOut] = transposed ? [1, inSize] : [outSize, 1];
  const rows = x.values.length / inSize;
  const y = zeros64([...x.shape.slice(0, -1), outSize]);
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outSize; o++) {
      let sum = bias === undefined ? 0 : bias.values[o];
      for (let i = 0; i < inSize; i++) sum += x.values[r * inSize + i] * weight.values[i * alongIn + o * alongOut];
      y.values[r * outSize + o] = sum;
    }
  }
  return [y];
}
