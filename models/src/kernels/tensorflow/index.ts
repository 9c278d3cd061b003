import { registerAdditiveAttention } from "./additive-attention.ts";
import { registerBatchNorm } from "./batch-norm.ts";
import { allowBf16, type TiledNumbers } from "./bf16.ts";
import { registerConv2D } from "./conv2d.ts";
import { registerGenerative } from "./generative.ts";
import { registerMatMul } from "./mat-mul.ts";
import { registerRecurrent } from "./recurrent.ts";
import { registerRelu } from "./relu.ts";
import { registerZooOps } from "./zoo-ops.ts";

export { bf16Ops, inBf16, numbersOf, type TiledNumbers, toBf16 } from "./bf16.ts";

export interface TensorflowKernelOptions {
  /** Whether TensorFlow knows the zoo's own ops (training/native), which need fewer passes over memory. */
  zoo?: boolean;
  /** In which numbers the zoo's convolutions and matrix products are among them. */
  tiles?: TiledNumbers;
}

/** Registers the zoo's kernels for tfjs-node's backend `tensorflow`, over any stock ones of the same name. */
export function registerTensorflowKernels({
  zoo = false,
  tiles = { f32: false, bf16: false },
}: TensorflowKernelOptions = {}): void {
  allowBf16(tiles.bf16);
  registerConv2D({ zoo, tiles });
  registerMatMul({ zoo, tiles });
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
