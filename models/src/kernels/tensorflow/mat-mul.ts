import { getKernel, type NamedAttrMap } from "@tensorflow/tfjs-core";
import { registerTensorflow } from "./backend.ts";
import { executeTyped, isBf16, type Numbers, numbersOf } from "./bf16.ts";

/** Multiply-adds below which TensorFlow's own product is as fast. */
const WORTHWHILE = 2 ** 20;

/** Terms of a sum above which single precision in parts no longer fits the caches. */
const LONGEST = 4096;

/**
 * Products of two matrices on the processor's matrix unit (training/native/matrix-product.h), in bf16 where that is
 * asked for; batches, small ones and other types stay with the stock kernel.
 */
export function registerMatMul(): void {
  const stock = getKernel("BatchMatMul", "tensorflow");
  registerTensorflow<{ transposeA: boolean; transposeB: boolean }>("BatchMatMul", (inputs, attrs, backend) => {
    const { a, b } = inputs;
    const { transposeA, transposeB } = attrs;
    const matrices = [a, b].every(({ shape, dtype }) => shape.length === 2 && dtype === "float32");
    const n = b.shape[transposeB ? 0 : 1];
    const bf16 = isBf16();
    const terms = a.shape[transposeA ? 0 : 1];
    const large =
      a.shape.reduce((product, size) => product * size, n) >= WORTHWHILE && (bf16 || transposeA || terms <= LONGEST);
    const fits = terms === b.shape[transposeB ? 1 : 0];
    if (stock !== undefined && !(matrices && large && fits && !(transposeA && transposeB))) {
      return stock.kernelFunc({ inputs, attrs: attrs as unknown as NamedAttrMap, backend });
    }
    const left: Numbers = bf16 ? numbersOf(a, backend) : "float32";
    const right: Numbers = bf16 && transposeA ? numbersOf(b, backend) : "float32";
    return executeTyped(
      backend,
      "ZooMatrixProduct",
      { transpose_a: transposeA, transpose_b: transposeB, bf16, A: { type: left }, B: { type: right } },
      [
        [a, left],
        [b, right],
      ],
      1,
    )[0];
  });
}
