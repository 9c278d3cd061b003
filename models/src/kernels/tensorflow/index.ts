import { registerBatchNorm } from "./batch-norm.ts";
import { registerConv2D } from "./conv2d.ts";
import { registerRelu } from "./relu.ts";
import { registerSoftmaxCrossEntropy } from "./softmax-cross-entropy.ts";

/** Registers the zoo's kernels for tfjs-node's backend `tensorflow`, over any stock ones of the same name. */
export function registerTensorflowKernels(): void {
  registerBatchNorm();
  registerConv2D();
  registerRelu();
  registerSoftmaxCrossEntropy();
}
