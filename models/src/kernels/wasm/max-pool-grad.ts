import { backend_util, MaxPoolGrad } from "@tensorflow/tfjs-core";
import { type ConvAttrs, spellOut } from "../conv-info.ts";
import { floats, registerWasm } from "./backend.ts";

/**
 * Gradient of max pooling: each ∂L/∂y[n, i, j, c] goes to the position of its window that won; of equal ones, to the
 * first in reading order, as in TensorFlow.
 *
 * Replaces the stock kernel, which starts each window's maximum at zero and so is wrong wherever it is negative.
 */
export function registerMaxPoolGrad(): void {
  registerWasm<ConvAttrs & { filterSize: number | [number, number] }>(MaxPoolGrad, ({ inputs, attrs, backend }) => {
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
    const x = floats(backend, inputs.input);
    const dy = floats(backend, inputs.dy);
    const dx = floats(backend, result);
    dx.fill(0);
    const best = new Float32Array(channels);
    const winner = new Int32Array(channels);
    for (let n = 0; n < batchSize; n++) {
      for (let i = 0; i < outHeight; i++) {
        const top = i * info.strideHeight - info.padInfo.top;
        const bottom = Math.min(inHeight, top + info.filterHeight);
        for (let j = 0; j < outWidth; j++) {
          const left = j * info.strideWidth - info.padInfo.left;
          const right = Math.min(inWidth, left + info.filterWidth);
          best.fill(Number.NEGATIVE_INFINITY);
          winner.fill(-1);
          for (let a = Math.max(0, top); a < bottom; a++) {
            for (let b = Math.max(0, left); b < right; b++) {
              const at = ((n * inHeight + a) * inWidth + b) * channels;
              for (let c = 0; c < channels; c++) {
                const value = x[at + c];
                if (value > best[c]) {
                  best[c] = value;
                  winner[c] = at + c;
                }
              }
            }
          }
          const dyAt = ((n * outHeight + i) * outWidth + j) * channels;
          for (let c = 0; c < channels; c++) if (winner[c] >= 0) dx[winner[c]] += dy[dyAt + c];
        }
      }
    }
    return result;
  });
}
