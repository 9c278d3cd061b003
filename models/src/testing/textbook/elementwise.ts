import type { AddAttrs } from "../../ops/add.ts";
import type { Activation } from "../../ops/batch-norm.ts";
import type { GeluAttrs } from "../../ops/gelu.ts";
import type { ShortcutAAttrs } from "../../ops/shortcut-a.ts";
import type { UnflattenAttrs } from "../../ops/unflatten.ts";
import { type Array64, type Inputs64, map64, zeros64 } from "../array64.ts";

/** z, or max(z, 0) */
export const activate64 = (z: number, activation: Activation): number => (activation === "relu" ? Math.max(z, 0) : z);

/** y = a + b, or max(a + b, 0) */
export function addTextbook({ a, b }: Inputs64, { activation }: AddAttrs): Array64[] {
  return [map64((left, right) => activate64(left + right, activation), a, b)];
}

/** y[n, i, j, c] = x[n, i, j, c] + s[n, c] */
export function channelShiftTextbook({ x, shift }: Inputs64): Array64[] {
  const [, height, width, channels] = x.shape;
  const image = height * width * channels;
  const values = x.values.map((value, i) => value + shift.values[Math.floor(i / image) * channels + (i % channels)]);
  return [{ shape: x.shape, values }];
}

/** y[n, i, j, c] = x[n, i, j, c], and 0 in a row below and a column to the right */
export function padEndTextbook({ x }: Inputs64): Array64[] {
  const [batch, height, width, channels] = x.shape;
  const y = zeros64([batch, height + 1, width + 1, channels]);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        for (let c = 0; c < channels; c++) {
          const from = ((n * height + i) * width + j) * channels + c;
          y.values[((n * (height + 1) + i) * (width + 1) + j) * channels + c] = x.values[from];
        }
      }
    }
  }
  return [y];
}

/** y[r, k] = x₀[r, k] for k < m, x₁[r, k − m] for the others */
export function concatTextbook({ 0: a, 1: b }: Inputs64): Array64[] {
  const [m, n] = [a.shape, b.shape].map((shape) => shape[shape.length - 1]);
  const values = Float64Array.from({ length: a.values.length + b.values.length }, (_, i) => {
    const [row, k] = [Math.floor(i / (m + n)), i % (m + n)];
    return k < m ? a.values[row * m + k] : b.values[row * n + k - m];
  });
  return [{ shape: [...a.shape.slice(0, -1), m + n], values }];
}

/** y = max(x, 0) */
export function reluTextbook({ x }: Inputs64): Array64[] {
  return [map64((value) => Math.max(value, 0), x)];
}

/** y = x Φ(x), or x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2 */
export function geluTextbook({ x }: Inputs64, { approximation }: GeluAttrs): Array64[] {
  const near = (z: number) => (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3))) / 2;
  return [map64((value) => value * (approximation === "tanh" ? near : cumulative)(value), x)];
}

/** Φ(x) by its Taylor series (Marsaglia 2004), for the sizes that are checked. */
function cumulative(x: number): number {
  let [sum, term] = [x, x];
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return 0.5 + sum * Math.exp((-x * x) / 2) * (1 / Math.sqrt(2 * Math.PI));
}

/** y[i, j, …] = x[i, j, …] m[i′, j′, …], with 0 for an index along which m has one element */
export function dropoutTextbook({ x, mask }: Inputs64): Array64[] {
  const values = x.values.map((value, place) => {
    let [rest, at, stride] = [place, 0, 1];
    for (let axis = x.shape.length - 1; axis >= 0; axis--) {
      at += mask.shape[axis] === 1 ? 0 : (rest % x.shape[axis]) * stride;
      stride *= mask.shape[axis];
      rest = Math.floor(rest / x.shape[axis]);
    }
    return value * mask.values[at];
  });
  return [{ shape: x.shape, values }];
}

/** y[n, (c · height + i) · width + j] = x[n, i, j, c] */
export function flattenTextbook({ x }: Inputs64): Array64[] {
  const [batch, height, width, channels] = x.shape;
  const y = zeros64([batch, channels * height * width]);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        for (let c = 0; c < channels; c++) y.values[((n * channels + c) * height + i) * width + j] = x.values[at++];
      }
    }
  }
  return [y];
}

/** y[n, i, j, c] = x[n, (c · height + i) · width + j] */
export function unflattenTextbook({ x }: Inputs64, { shape: [height, width, channels] }: UnflattenAttrs): Array64[] {
  const y = zeros64([x.shape[0], height, width, channels]);
  for (let at = 0; at < y.values.length; at++) {
    const [c, pixel] = [at % channels, Math.floor(at / channels)];
    const [j, row] = [pixel % width, Math.floor(pixel / width)];
    const [i, n] = [row % height, Math.floor(row / height)];
    y.values[at] = x.values[((n * channels + c) * height + i) * width + j];
  }
  return [y];
}

/** y[n, i, j, c + before] = x[n, s i, s j, c], zeros in the new channels */
export function shortcutATextbook({ x }: Inputs64, { stride, channels }: ShortcutAAttrs): Array64[] {
  const [batch, height, width, inChannels] = x.shape;
  const outHeight = Math.ceil(height / stride);
  const outWidth = Math.ceil(width / stride);
  const before = Math.floor((channels - inChannels) / 2);
  const y = zeros64([batch, outHeight, outWidth, channels]);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (let c = 0; c < inChannels; c++) {
          const from = ((n * height + stride * i) * width + stride * j) * inChannels + c;
          y.values[((n * outHeight + i) * outWidth + j) * channels + before + c] = x.values[from];
        }
      }
    }
  }
  return [y];
}
