import type { TokenPoolAttrs } from "../../ops/token-pool.ts";
import { type Array64, type Inputs64, map64, zeros64 } from "../array64.ts";

/** y[n, t, k] = b[k] + Σ x[n, p i + a, p j + e, c] W[a, e, c, k] over a, e, c; patch t is at row i and column j */
export function patchEmbeddingTextbook({ x, filter, bias }: Inputs64): Array64[] {
  const [batch, height, width, channels] = x.shape;
  const [p, , , d] = filter.shape;
  const y = zeros64([batch, (height / p) * (width / p), d]);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < height / p; i++) {
      for (let j = 0; j < width / p; j++) {
        for (let k = 0; k < d; k++) {
          let sum = bias.values[k];
          for (let a = 0; a < p; a++) {
            for (let e = 0; e < p; e++) {
              for (let c = 0; c < channels; c++) {
                const pixel = x.values[((n * height + p * i + a) * width + p * j + e) * channels + c];
                sum += pixel * filter.values[((a * p + e) * channels + c) * d + k];
              }
            }
          }
          y.values[at++] = sum;
        }
      }
    }
  }
  return [y];
}

/** y[…, k] = E[id[…], k] */
export function embeddingTextbook({ ids, table }: Inputs64): Array64[] {
  const d = table.shape[1];
  const y = zeros64([...ids.shape, d]);
  for (let i = 0; i < y.values.length; i++) y.values[i] = table.values[ids.values[Math.floor(i / d)] * d + (i % d)];
  return [y];
}

/** y[n, 0, k] = t[k], y[n, i + 1, k] = x[n, i, k] */
export function classTokenTextbook({ x, token }: Inputs64): Array64[] {
  const [batch, tokens, d] = x.shape;
  const y = zeros64([batch, tokens + 1, d]);
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < d; k++) {
      y.values[n * (tokens + 1) * d + k] = token.values[k];
      for (let i = 0; i < tokens; i++) {
        y.values[(n * (tokens + 1) + i + 1) * d + k] = x.values[(n * tokens + i) * d + k];
      }
    }
  }
  return [y];
}

/** y[n, i, k] = x[n, i, k] + E[i, k] */
export function positionEmbeddingTextbook({ x, positions }: Inputs64): Array64[] {
  const size = positions.values.length;
  return [{ shape: x.shape, values: x.values.map((value, i) => value + positions.values[i % size]) }];
}

/** y[n, k] = x[n, 0, k], or Σ_i x[n, i, k] / tokens */
export function tokenPoolTextbook({ x }: Inputs64, { pool }: TokenPoolAttrs): Array64[] {
  const [batch, tokens, d] = x.shape;
  const y = zeros64([batch, d]);
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < d; k++) {
      const column = Array.from({ length: tokens }, (_, i) => x.values[(n * tokens + i) * d + k]);
      y.values[n * d + k] = pool === "first" ? column[0] : column.reduce((sum, value) => sum + value) / tokens;
    }
  }
  return [y];
}

/** y[r, k] = γ[k] x[r, k] */
export function layerScaleTextbook({ x, gamma }: Inputs64): Array64[] {
  const d = gamma.values.length;
  const factors = { shape: x.shape, values: x.values.map((_, i) => gamma.values[i % d]) };
  return [map64((value, factor) => value * factor, x, factors)];
}
