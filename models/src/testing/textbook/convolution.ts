import type { Conv2DAttrs } from "../../ops/conv2d.ts";
import type { DepthwiseConv2DAttrs } from "../../ops/depthwise-conv2d.ts";
import { pair } from "../../ops/window.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";
import { activate64 } from "./elementwise.ts";

/** y[n, i, j, o] = b[o] + Σ_{u,v,c} x[n, s i + d u − p, s j + d v − p, first channel of o's group + c] w[u, v, c, o] */
export function conv2dTextbook({ x, filter, bias }: Inputs64, attrs: Conv2DAttrs): Array64[] {
  const { groups = 1, activation } = attrs;
  const [batch, height, width, inChannels] = x.shape;
  const [kernelHeight, kernelWidth, groupChannels, outChannels] = filter.shape;
  const [sh, sw] = pair(attrs.strides ?? 1);
  const [ph, pw] = pair(attrs.padding ?? 0);
  const [dh, dw] = pair(attrs.dilation ?? 1);
  const outHeight = outSize(height, kernelHeight, sh, ph, dh);
  const outWidth = outSize(width, kernelWidth, sw, pw, dw);
  const y = zeros64([batch, outHeight, outWidth, outChannels]);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (let o = 0; o < outChannels; o++) {
          const firstChannel = Math.floor(o / (outChannels / groups)) * groupChannels;
          let sum = bias === undefined ? 0 : bias.values[o];
          for (let u = 0; u < kernelHeight; u++) {
            const row = sh * i + dh * u - ph;
            if (row < 0 || row >= height) continue;
            for (let v = 0; v < kernelWidth; v++) {
              const column = sw * j + dw * v - pw;
              if (column < 0 || column >= width) continue;
              const pixel = ((n * height + row) * width + column) * inChannels + firstChannel;
              const tap = (u * kernelWidth + v) * groupChannels;
              for (let c = 0; c < groupChannels; c++) {
                sum += x.values[pixel + c] * filter.values[(tap + c) * outChannels + o];
              }
            }
          }
          y.values[at++] = activate64(sum, activation);
        }
      }
    }
  }
  return [y];
}

/** y[n, i, j, c m + k] = b[c m + k] + Σ_{u,v} x[n, s i + d u − p, s j + d v − p, c] w[u, v, c, k] */
export function depthwiseConv2dTextbook({ x, filter, bias }: Inputs64, attrs: DepthwiseConv2DAttrs): Array64[] {
  const [batch, height, width, channels] = x.shape;
  const [kernelHeight, kernelWidth, , multiplier] = filter.shape;
  const [sh, sw] = pair(attrs.strides ?? 1);
  const [ph, pw] = pair(attrs.padding ?? 0);
  const [dh, dw] = pair(attrs.dilation ?? 1);
  const outHeight = outSize(height, kernelHeight, sh, ph, dh);
  const outWidth = outSize(width, kernelWidth, sw, pw, dw);
  const y = zeros64([batch, outHeight, outWidth, channels * multiplier]);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (let c = 0; c < channels; c++) {
          for (let k = 0; k < multiplier; k++) {
            let sum = bias === undefined ? 0 : bias.values[c * multiplier + k];
            for (let u = 0; u < kernelHeight; u++) {
              const row = sh * i + dh * u - ph;
              if (row < 0 || row >= height) continue;
              for (let v = 0; v < kernelWidth; v++) {
                const column = sw * j + dw * v - pw;
                if (column < 0 || column >= width) continue;
                sum +=
                  x.values[((n * height + row) * width + column) * channels + c] *
                  filter.values[((u * kernelWidth + v) * channels + c) * multiplier + k];
              }
            }
            y.values[at++] = sum;
          }
        }
      }
    }
  }
  return [y];
}

/** How often a window of 1 + dilation (kernel − 1) pixels, moved by `stride`, fits into a padded axis. */
export function outSize(size: number, kernel: number, stride: number, padding: number, dilation = 1): number {
  let count = 0;
  while (count * stride + dilation * (kernel - 1) < size + 2 * padding) count++;
  return count;
}
