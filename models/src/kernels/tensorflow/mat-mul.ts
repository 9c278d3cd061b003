import { getKernel, type NamedAttrMap, type Tensor, type TensorInfo } from "@tensorflow/tfjs-core";
import { registerTensorflow, type TensorflowBackend } from "./backend.ts";
import { executeTyped, isBf16, isTiled, type Numbers, numbersOf, single, type TiledNumbers, withBias } from "./bf16.ts";

/** Multiply-adds below which tiles are no faster than vectors. */
const WORTHWHILE = 2 ** 20;

/** Terms of a sum above which single precision in parts no longer fits the caches. */
const LONGEST = 4096;

/**
 * Products in single precision that vectors do faster than TensorFlow, by a tenth to a half: those of at least so many
 * rows, with sums not longer than this, of so many multiply-adds at most.
 */
const ON_VECTORS = { rows: 8, terms: 2 ** 14, multiplyAdds: 2 ** 27 };

/** Rows from which a dense layer's result is kept in bf16: tokens or pixels, not the few logits of a batch. */
const MANY_ROWS = 1024;

interface MatMulAttrs {
  transposeA: boolean;
  transposeB: boolean;
}

/**
 * Products of two matrices: of large ones by tiles where there are any (training/native/matrix-product.h), of others on
 * vectors where TensorFlow knows the zoo's ops (vector-product.h). Batches and other types stay with the stock kernel.
 */
export function registerMatMul({ zoo, tiles }: { zoo: boolean; tiles: TiledNumbers }): void {
  const multiply: Multiply = (backend, a, b, attrs, bias) =>
    (zoo && isForVectors(a, b, attrs) ? onVectors : byTensorflow)(backend, a, b, attrs, bias);

  const stock = getKernel("BatchMatMul", "tensorflow");
  registerTensorflow<MatMulAttrs>("BatchMatMul", (inputs, attrs, backend) => {
    const { a, b } = inputs;
    if (isTiled(tiles) && isTileable(a, b, attrs)) return byTiles(backend, a, b, attrs);
    if (stock === undefined || areMatrices(a, b)) return multiply(backend, a, b, attrs);
    return stock.kernelFunc({ inputs, attrs: attrs as unknown as NamedAttrMap, backend });
  });

  // A dense layer's product with its bias, or with its weight transposed: models/src/ops/dense.ts looks for it.
  registerTensorflow<{ transposed: boolean }>("ZooAffine", ({ x, weight, bias }, { transposed }, backend) => {
    const attrs = { transposeA: false, transposeB: transposed };
    if (isTiled(tiles) && isTileable(x, weight, attrs)) {
      const half = isBf16() && x.shape[0] >= MANY_ROWS;
      return byTiles(backend, x, weight, attrs, { bias, half });
    }
    return multiply(backend, x, weight, attrs, bias);
  });
}

const areMatrices = (...factors: TensorInfo[]) =>
  factors.every(({ shape, dtype }) => shape.length === 2 && dtype === "float32");

/** op(a) op(b) + bias */
type Multiply = (
  backend: TensorflowBackend,
  a: TensorInfo,
  b: TensorInfo,
  attrs: MatMulAttrs,
  bias?: TensorInfo,
) => Tensor;

/** TensorFlow's own product of two matrices, which is quicker than that of its batches. */
const byTensorflow: Multiply = (backend, a, b, { transposeA, transposeB }, bias) => {
  const attrs = { transpose_a: transposeA, transpose_b: transposeB, T: { type: "float32" } } as const;
  const [y] = executeTyped(backend, "MatMul", attrs, single(a, b), 1);
  return bias === undefined ? y : withBias(backend, y, bias);
};

const onVectors: Multiply = (backend, a, b, { transposeA, transposeB }, bias) => {
  const biases = bias === undefined ? [] : [bias];
  const attrs = { transpose_a: transposeA, transpose_b: transposeB, N: biases.length };
  return executeTyped(backend, "ZooVectorProduct", attrs, single(a, b, ...biases), 1)[0];
};

/** [rows, terms] by [terms, columns] */
function sizesOf({ shape: a }: TensorInfo, { shape: b }: TensorInfo, { transposeA, transposeB }: MatMulAttrs) {
  const [rows, terms] = transposeA ? [a[1], a[0]] : a;
  const [ofOther, columns] = transposeB ? [b[1], b[0]] : b;
  return { rows, terms, columns, fits: terms === ofOther, multiplyAdds: rows * terms * columns };
}

function isForVectors(a: TensorInfo, b: TensorInfo, attrs: MatMulAttrs): boolean {
  const { rows, terms, fits, multiplyAdds } = sizesOf(a, b, attrs);
  return fits && rows >= ON_VECTORS.rows && terms <= ON_VECTORS.terms && multiplyAdds <= ON_VECTORS.multiplyAdds;
}

function isTileable(a: TensorInfo, b: TensorInfo, attrs: MatMulAttrs): boolean {
  const { terms, fits, multiplyAdds } = sizesOf(a, b, attrs);
  const large = multiplyAdds >= WORTHWHILE && (isBf16() || attrs.transposeA || terms <= LONGEST);
  return areMatrices(a, b) && large && fits && !(attrs.transposeA && attrs.transposeB);
}

function byTiles(
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
