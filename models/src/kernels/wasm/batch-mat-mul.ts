import * as tf from "@tensorflow/tfjs-core";
import { registerWasm, stockKernel } from "./backend.ts";
import { tensors } from "./window.ts";

/**
 * Matrix products y = op(a) op(b), where op may transpose. XNNPACK serves only the plain product; the stock kernel's
 * loops for the others are five to ten times slower than transposing first.
 *
 * @param a [..., m, k]  @param b [..., k, n]
 */
export function registerBatchMatMul(): void {
  const stock = stockKernel(tf.BatchMatMul);
  registerWasm<{ transposeA: boolean; transposeB: boolean }>(tf.BatchMatMul, ({ inputs, attrs, backend }) => {
    const plain = { transposeA: false, transposeB: false };
    if (!attrs.transposeA && !attrs.transposeB) return stock.kernelFunc({ inputs, attrs: plain, backend });
    return tf.tidy(() => {
      const { a, b } = tensors<"a" | "b">(inputs);
      return tf
        .engine()
        .runKernel(
          tf.BatchMatMul,
          { a: attrs.transposeA ? swapLast(a) : a, b: attrs.transposeB ? swapLast(b) : b },
          plain,
        ) as tf.Tensor;
    });
  });
}

function swapLast(x: tf.Tensor): tf.Tensor {
  const axes = x.shape.map((_, i) => i);
  return tf.transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}
