import { registerAdamUpdate } from "./adam-update.ts";
import { registerBatchNorm } from "./batch-norm.ts";
import { registerConv2DBackpropFilter } from "./conv2d-backprop-filter.ts";
import { registerGelu } from "./gelu.ts";
import { registerLayerNorm } from "./layer-norm.ts";
import { registerResidual } from "./residual.ts";
import { registerSgdUpdate } from "./sgd-update.ts";
import { registerSoftmaxCrossEntropy } from "./softmax-cross-entropy.ts";
import { registerSumChannels } from "./sum-channels.ts";

export { type AdapterInfo, adapterText, deviceText, isSoftwareAdapter, isSoftwareDevice } from "./adapter.ts";
export { suitAdapter } from "./suit-adapter.ts";

let registered = false;

/**
 * Registers kernels of ours, in WGSL, for what a network's training does most on tfjs's WebGPU backend: each does in a
 * pass or two over memory what the composition does in many. Call it after importing @tensorflow/tfjs-backend-webgpu; a
 * second call does nothing.
 */
export function registerWebgpuKernels(): void {
  if (registered) return;
  registerAdamUpdate();
  registerBatchNorm();
  registerConv2DBackpropFilter();
  registerGelu();
  registerLayerNorm();
  registerResidual();
  registerSgdUpdate();
  registerSoftmaxCrossEntropy();
  registerSumChannels();
  registered = true;
}
