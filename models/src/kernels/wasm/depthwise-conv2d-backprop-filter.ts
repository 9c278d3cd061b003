import { DepthwiseConv2dNativeBackpropFilter } from "@tensorflow/tfjs-core";
import { type ConvAttrs, convInfo } from "../conv-info.ts";
import { floats, registerWasm } from "./backend.ts";

/**
 * Gradient of a depthwise convolution for its filter, with m filters for each channel:
 *
 *   ∂L/∂w[u, v, c, q] = Σ_{n,i,j} x[n, s i + d u − p, s j + d v − p, c] ∂L/∂y[n, i, j, m c + q]
 *
 * Plain loops over WebAssembly's memory, summed in double precision: there is one multiplication for each number read,
 * so a compiled kernel would gain little.
 */
export function registerDepthwiseConv2DBackpropFilter(): void {
  registerWasm<ConvAttrs & { filterShape: number[] }>(
    DepthwiseConv2dNativeBackpropFilter,
    ({ inputs, attrs, backend }) => {
      const info = convInfo(inputs.x.shape, attrs.filterShape, attrs, true);
      const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
      const [filterHeight, filterWidth, , multiplier] = attrs.filterShape;
      const result = backend.makeOutput(attrs.filterShape, "float32");
      const x = floats(backend, inputs.x);
      const dy = floats(backend, inputs.dy);
      const dw = floats(backend, result);
      const sums = new Float64Array(outChannels);
      for (let u = 0; u < filterHeight; u++) {
        for (let v = 0; v < filterWidth; v++) {
          sums.fill(0);
          for (let n = 0; n < batchSize; n++) {
            for (let i = 0; i < outHeight; i++) {
              const a = i * info.strideHeight + u * info.dilationHeight - info.padInfo.top;
              if (a < 0 || a >= inHeight) continue;
              for (let j = 0; j < outWidth; j++) {
                const b = j * info.strideWidth + v * info.dilationWidth - info.padInfo.left;
                if (b < 0 || b >= inWidth) continue;
                const xAt = ((n * inHeight + a) * inWidth + b) * inChannels;
                const dyAt = ((n * outHeight + i) * outWidth + j) * outChannels;
                if (multiplier === 1) {
                  for (let c = 0; c < inChannels; c++) sums[c] += x[xAt + c] * dy[dyAt + c];
                } else {
                  for (let o = 0; o < outChannels; o++) sums[o] += x[xAt + Math.floor(o / multiplier)] * dy[dyAt + o];
                }
              }
            }
          }
          dw.set(sums, (u * filterWidth + v) * outChannels);
        }
      }
      return result;
    },
  );
}
