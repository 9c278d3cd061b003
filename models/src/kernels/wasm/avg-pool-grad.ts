import { AvgPoolGrad, backend_util } from "@tensorflow/tfjs-core";
import { type ConvAttrs, spellOut } from "../conv-info.ts";
import { floats, registerWasm } from "./backend.ts";

/**
 * Gradient of average pooling: each ∂L/∂y[n, i, j, c] is shared equally among the pixels of its window that lie inside
 * the image. A single pass over the memory; the stock kernel, which asks for each pixel which windows hold it, takes
 * several times as long.
 */
export function registerAvgPoolGrad(): void {
  registerWasm<ConvAttrs & { filterSize: number | [number, number] }>(AvgPoolGrad, ({ inputs, attrs, backend }) => {
    const info = backend_util.computePool2DInfo(
      inputs.input.shape as [number, number, number, number],
      attrs.filterSize,
      attrs.strides,
      1,
      spellOut(attrs.pad) as Parameters<typeof backend_util.computePool2DInfo>[4],
      attrs.dimRoundingMode,
    );
    const { batchSize, inChannels: channels, inHeight, inWidth, outHeight, outWidth } = info;
    const result = backend.makeOutput(inputs.input.shape, "float32");
    const dy = floats(backend, inputs.dy);
    const dx = floats(backend, result);
    dx.fill(0);
    for (let n = 0; n < batchSize; n++) {
      for (let i = 0; i < outHeight; i++) {
        const top = i * info.strideHeight - info.padInfo.top;
        const from = Math.max(0, top);
        const to = Math.min(inHeight, top + info.filterHeight);
        for (let j = 0; j < outWidth; j++) {
          const left = j * info.strideWidth - info.padInfo.left;
          const start = Math.max(0, left);
          const end = Math.min(inWidth, left + info.filterWidth);
          const share = 1 / Math.max(1, (to - from) * (end - start));
          const dyAt = ((n * outHeight + i) * outWidth + j) * channels;
          for (let a = from; a < to; a++) {
            for (let b = start; b < end; b++) {
              const at = ((n * inHeight + a) * inWidth + b) * channels;
              for (let c = 0; c < channels; c++) dx[at + c] += dy[dyAt + c] * share;
            }
          }
        }
      }
    }
    return result;
  });
}
