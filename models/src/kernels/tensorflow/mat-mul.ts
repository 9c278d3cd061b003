import { getKernel, type NamedAttrMap, type Tensor, type TensorInfo } from "@tensorflow/tfjs-core";
import { registerTensorflow, type TensorflowBackend } from "./backend.ts";
import { executeTyped, isBf16, isTiled, type Numbers, numbersOf, single, type TiledNumbers, withBias } from "./bf16.ts";

/** Multiply-adds below which TensorFlow's own product is as fast. */
const WORTHWHILE = 2 ** 20;

/** Terms of a sum above which single precision in parts no longer fits the caches. */
const LONGEST = 4096;

/** Rows from which a dense layer's result is kept in bf16: tokens or pixels, not the few logits of a batch. */
const MANY_ROWS = 1024;

interface MatMulAttrs {
  transposeA: boolean;
  transposeB: boolean;
}

/**
 * Products of two matrices: of large ones the zoo's own where there are `tiles` (training/native/matrix-product.h).
 * Batches and other types stay with the stock kernel.
 */
export function registerMatMul(tiles: TiledNumbers): void {
  const stock = getKernel("BatchMatMul", "tensorflow");
  registerTensorflow<MatMulAttrs>("BatchMatMul", (inputs, attrs, backend) => {
    const { a, b } = inputs;
    if (isTiled(tiles) && isServed(a, b, attrs)) return product(backend, a, b, attrs);
    if (stock === undefined || areMatrices(a, b)) return small(backend, a, b, attrs);
    return stock.kernelFunc({ inputs, attrs: attrs as unknown as NamedAttrMap, backend });
  });

  // A dense layer's product with its bias, or with its weight transposed: models/src/ops/dense.ts looks for it.
  registerTensorflow<{ transposed: boolean }>("ZooAffine", ({ x, weight, bias }, { transposed }, backend) => {
    const attrs = { transposeA: false, transposeB: transposed };
    if (isTiled(tiles) && isServed(x, weight, attrs)) {
      const half = isBf16() && x.shape[0] >= MANY_ROWS;
      return product(backend, x, weight, attrs, { bias, half });
    }
    const y = small(backend, x, weight, attrs);
    if (bias === undefined) return y;
    return withBias(backend, y, bias);
  });
}

const areMatrices = (...factors: TensorInfo[]) =>
  factors.every(({ shape, dtype }) => shape.length === 2 && dtype === "float32");

/** TensorFlow's own product of two matrices, which is quicker than that of its batches. */
function small(
  backend: TensorflowBackend,
  a: TensorInfo,
  b: TensorInfo,
  { transposeA, transposeB }: MatMulAttrs,
): Tensor {
  const attrs = { transpose_a: transposeA, transpose_b: transposeB, T: { type: "float32" } } as const;
  return executeTyped(backend, "MatMul", attrs, single(a, b), 1)[0];
}

/** Whether the zoo's product is for these. */
function isServed(a: TensorInfo, b: TensorInfo, { transposeA, transposeB }: MatMulAttrs): boolean {
  const n = b.shape[transposeB ? 0 : 1];
  const terms = a.shape[transposeA ? 0 : 1];
  const large =
    a.shape.reduce((all, size) => all * size, n) >= WORTHWHILE && (isBf16() || transposeA || terms <= LONGEST);
  const fits = terms === b.shape[transposeB ? 1 : 0];
  return areMatrices(a, b) && large && fits && !(transposeA && transposeB);
}

function product(
  backend: TensorflowBackend,
  a: TensorInfo,
  b: TensorInfo,
  { transposeA, transposeB }: MatMulAttrs,
  { bias, half = false }: { bias?: TensorInfo; half?: boolean } = {},
): Tensor {
  const bf16 = isBf16();
  const left: Numbers = bf16 ? numbersOf(a, backend) : "float32";
  const right: Numbers = bf16 && transposeA ? numbersOf(b, backend) : "float32";
  const y: Numbers = half ? "bfloat16" : "float32";
  const attrs = {
    ...{ transpose_a: transposeA, transpose_b: transposeB, bf16, keep_bf16: half, N: bias === undefined ? 0 : 1 },
    ...{ A: { type: left }, B: { type: right }, Y: { type: y } },
  };
  const biases = bias === undefined ? [] : [[bias, "float32"] as const];
  return executeTyped(backend, "ZooMatrixProduct", attrs, [[a, left], [b, right], ...biases], 1)[0];
}
