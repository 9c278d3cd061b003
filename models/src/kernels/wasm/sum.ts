import * as tf from "@tensorflow/tfjs-core";
import { registerWasm, stockKernel } from "./backend.ts";
import { tensors } from "./window.ts";

interface ReduceAttrs {
  axis: number | number[] | null;
  keepDims?: boolean;
}

/** Longest column that one matrix product adds up: sums of sums keep rounding errors small. */
const longestColumn = 512;

/**
 * Sum and mean over the leading axes, as batch norms and biases need them:
 *
 *   s[c] = Σ_r x[r, c] = (1, …, 1) x
 *
 * As matrix products with a row of ones they take a quarter of the stock kernel's time, which transposes first.
 * Everything else goes to the stock kernels.
 */
export function registerSum(): void {
  replace(tf.Sum, () => 1);
  replace(tf.Mean, (rows) => 1 / rows);
}

function replace(kernelName: string, factor: (rows: number) => number): void {
  const stock = stockKernel(kernelName);
  registerWasm<ReduceAttrs>(kernelName, (call) => {
    const { x } = tensors<"x">(call.inputs);
    const axes = tf.util.parseAxisParam(call.attrs.axis ?? x.shape.map((_, i) => i), x.shape);
    axes.sort((a, b) => a - b);
    const leading = axes.every((axis, i) => axis === i);
    const rows = tf.util.sizeFromShape(x.shape.slice(0, axes.length));
    const columns = tf.util.sizeFromShape(x.shape.slice(axes.length));
    if (!leading || x.dtype !== "float32" || rows < 32 || columns < 2) {
      return stock.kernelFunc(call as unknown as Parameters<typeof stock.kernelFunc>[0]);
    }
    const kept = x.shape.slice(axes.length);
    const shape = call.attrs.keepDims ? [...axes.map(() => 1), ...kept] : kept;
    return tf.tidy(() => tf.reshape(columnSums(x, rows, columns, factor(rows)), shape));
  });
}

function columnSums(x: tf.Tensor, rows: number, columns: number, factor: number): tf.Tensor {
  const part = evenPart(rows);
  const weights = tf.fill([1, 1, part], factor);
  const sums = tf.matMul(weights, tf.reshape(x, [rows / part, part, columns])); // [rows / part, 1, columns]
  if (rows === part) return sums;
  const ones = tf.fill([1, rows / part], 1);
  return tf.matMul(ones, tf.reshape(sums, [rows / part, columns])); // [1, columns]
}

/** The largest power of two that divides the rows, up to longestColumn; all rows when that is too small to help. */
function evenPart(rows: number): number {
  let part = 1;
  while (part < longestColumn && rows % (part * 2) === 0) part *= 2;
  return part >= 32 ? part : rows;
}
