import type { ConvTranspose2DAttrs } from "../../ops/conv-transpose2d.ts";
import type { Upsample2DAttrs } from "../../ops/upsample2d.ts";
import { pair } from "../../ops/window.ts";
import { type Array64, type Inputs64, zeros64 } from "../array64.ts";

/** y[n, i, j, c] = x[n, ⌊i / f⌋, ⌊j / f⌋, c], or the mean of the four nearest pixels, weighted by how near they are */
export function upsample2dTextbook({ x }: Inputs64, { factor = 2, mode }: Upsample2DAttrs): Array64[] {
  const [batch, height, width, channels] = x.shape;
  const [fh, fw] = pair(factor);
  const y = zeros64([batch, fh * height, fw * width, channels]);
  const around = (i: number, f: number, size: number): [at: number, weight: number][] => {
    if (mode !== "bilinear") return [[Math.floor(i / f), 1]];
    const place = (i + 0.5) / f - 0.5;
    const before = Math.floor(place);
    const inside = (at: number) => Math.min(Math.max(at, 0), size - 1);
    return [
      [inside(before), before + 1 - place],
      [inside(before + 1), place - before],
    ];
  };
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < fh * height; i++) {
      for (let j = 0; j < fw * width; j++) {
        for (const [a, byRow] of around(i, fh, height)) {
          for (const [b, byColumn] of around(j, fw, width)) {
            for (let c = 0; c < channels; c++) {
              y.values[((n * fh * height + i) * fw * width + j) * channels + c] +=
                byRow * byColumn * x.values[((n * height + a) * width + b) * channels + c];
            }
          }
        }
      }
    }
  }
  return [y];
}

/** Every x[n, i, j, c] adds w[u, v, o, c] times itself to y[n, s i + u − p, s j + v − p, o], where y has that pixel. */
export function convTranspose2dTextbook({ x, filter, bias }: Inputs64, attrs: ConvTranspose2DAttrs): Array64[] {
  const [batch, height, width, inChannels] = x.shape;
  const [kernelHeight, kernelWidth, outChannels] = filter.shape;
  const [sh, sw] = pair(attrs.strides ?? 1);
  const [ph, pw] = pair(attrs.padding ?? 0);
  const [ah, aw] = pair(attrs.outputPadding ?? 0);
  const outHeight = sh * (height - 1) + kernelHeight - 2 * ph + ah;
  const outWidth = sw * (width - 1) + kernelWidth - 2 * pw + aw;
  const y = zeros64([batch, outHeight, outWidth, outChannels]);
  for (let k = 0; k < y.values.length; k++) y.values[k] = bias?.values[k % outChannels] ?? 0;
  for (const [at, value] of x.values.entries()) {
    const c = at % inChannels;
    const j = Math.floor(at / inChannels) % width;
    const i = Math.floor(at / inChannels / width) % height;
    const n = Math.floor(at / inChannels / width / height);
    for (let u = 0; u < kernelHeight; u++) {
      const row = sh * i + u - ph;
      if (row < 0 || row >= outHeight) continue;
      for (let v = 0; v < kernelWidth; v++) {
        const column = sw * j + v - pw;
        if (column < 0 || column >= outWidth) continue;
        for (let o = 0; o < outChannels; o++) {
          const tap = ((u * kernelWidth + v) * outChannels + o) * inChannels + c;
          y.values[((n * outHeight + row) * outWidth + column) * outChannels + o] += value * filter.values[tap];
        }
      }
    }
  }
  return [y];
}
