import { registerAvgPoolGrad } from "./avg-pool-grad.ts";
import { registerBatchMatMul } from "./batch-mat-mul.ts";
import { registerConv2D } from "./conv2d.ts";
import { registerConv2DBackpropFilter } from "./conv2d-backprop-filter.ts";
import { registerConv2DBackpropInput } from "./conv2d-backprop-input.ts";
import { registerDepthwiseConv2DBackpropFilter } from "./depthwise-conv2d-backprop-filter.ts";
import { registerDepthwiseConv2DBackpropInput } from "./depthwise-conv2d-backprop-input.ts";
import { registerEinsum } from "./einsum.ts";
import { registerMaxPoolGrad } from "./max-pool-grad.ts";
import { registerStridedSlice } from "./strided-slice.ts";
import { registerSum } from "./sum.ts";
import { registerUnsortedSegmentSum } from "./unsorted-segment-sum.ts";

let registered = false;

/**
 * Registers what tfjs's WebAssembly backend lacks for training, and replaces its kernels that are wrong or slow, under
 * their stock names: models that know nothing of the zoo train too. Call it after importing
 * @tensorflow/tfjs-backend-wasm, before or after its start; a second call does nothing.
 */
export function registerWasmKernels(): void {
  if (registered) return;
  registerAvgPoolGrad();
  registerBatchMatMul();
  registerConv2D();
  registerConv2DBackpropFilter();
  registerConv2DBackpropInput();
  registerDepthwiseConv2DBackpropFilter();
  registerDepthwiseConv2DBackpropInput();
  registerEinsum();
  registerMaxPoolGrad();
  registerStridedSlice();
  registerSum();
  registerUnsortedSegmentSum();
  registered = true;
}
