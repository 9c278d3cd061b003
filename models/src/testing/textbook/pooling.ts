import type { Pool2DAttrs } from "../../ops/max-pool2d.ts";
import { pair } from "../../ops/window.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";
import { outSize } from "./convolution.ts";

/** y[n, i, j, c] = max_{u,v} x[n, s i + u − p, s j + v − p, c], positions outside the image left out */
export function maxPool2dTextbook({ x }: Inputs64, attrs: Pool2DAttrs): Array64[] {
  return [pool(x, attrs, (values) => Math.max(...values))];
}

/** y[n, i, j, c] = (1 / k²) Σ_{u,v} x[n, s i + u − p, s j + v − p, c], positions outside the image being 0 */
export function avgPool2dTextbook({ x }: Inputs64, attrs: Pool2DAttrs): Array64[] {
  const [kh, kw] = pair(attrs.poolSize);
  return [pool(x, attrs, (values) => values.reduce((sum, value) => sum + value, 0) / (kh * kw))];
}

/** y[n, c] = (1 / height width) Σ_{i,j} x[n, i, j, c] */
export function globalAvgPool2dTextbook({ x }: Inputs64): Array64[] {
  const [batch, height, width, channels] = x.shape;
  const y = zeros64([batch, channels]);
  for (let n = 0; n < batch; n++) {
    for (let position = 0; position < height * width; position++) {
      for (let c = 0; c < channels; c++) {
        y.values[n * channels + c] += x.values[(n * height * width + position) * channels + c] / (height * width);
      }
    }
  }
  return [y];
}

function pool(x: Array64, attrs: Pool2DAttrs, reduce: (values: number[]) => number): Array64 {
  const [batch, height, width, channels] = x.shape;
  const [kh, kw] = pair(attrs.poolSize);
  const [sh, sw] = pair(attrs.strides ?? attrs.poolSize);
  const [ph, pw] = pair(attrs.padding ?? 0);
  const outHeight = outSize(height, kh, sh, ph);
  const outWidth = outSize(width, kw, sw, pw);
  const y = zeros64([batch, outHeight, outWidth, channels]);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (let c = 0; c < channels; c++) {
          const values: number[] = [];
          for (let u = 0; u < kh; u++) {
            for (let v = 0; v < kw; v++) {
              const [row, column] = [sh * i + u - ph, sw * j + v - pw];
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              values.push(x.values[((n * height + row) * width + column) * channels + c]);
            }
          }
          y.values[at++] = reduce(values);
        }
      }
    }
  }
  return y;
}
