import { registerAdditiveAttention } from "./additive-attention.ts";
import { registerBatchNorm } from "./batch-norm.ts";
import { registerConv2D } from "./conv2d.ts";
import { registerGenerative } from "./generative.ts";
import { registerMatMul } from "./mat-mul.ts";
import { registerRecurrent } from "./recurrent.ts";
import { registerRelu } from "./relu.ts";
import { registerZooOps } from "./zoo-ops.ts";

export { bf16Ops, inBf16, numbersOf, toBf16 } from "./bf16.ts";

export interface TensorflowKernelOptions {
  /** Whether TensorFlow knows the zoo's own ops (training/native), which need fewer passes over memory. */
  zoo?: boolean;
  /** Whether the zoo's convolutions and matrix products on the processor's matrix unit are among them. */
  tiles?: boolean;
}

/** Registers the zoo's kernels for tfjs-node's backend `tensorflow`, over any stock ones of the same name. */
export function registerTensorflowKernels({ zoo = false, tiles = false }: TensorflowKernelOptions = {}): void {
  registerConv2D(tiles);
  registerMatMul(tiles);
  if (zoo) {
    registerZooOps();
    registerGenerative();
    registerRecurrent();
    registerAdditiveAttention();
  } else {
    registerBatchNorm();
    registerRelu();
  }
}
