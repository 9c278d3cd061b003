import { backend_util, getKernel, type NamedAttrMap, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { registerTensorflow } from "./backend.ts";
import { executeTyped, numbersOf } from "./bf16.ts";

/**
 * Tensors in bf16 stay in it when they are cut or joined along their last axis, as queries, keys and values are; all others
 * are left to the stock kernels.
 */
export function registerSplitAndConcat(): void {
  const stockSplit = getKernel("SplitV", "tensorflow");
  registerTensorflow<{ numOrSizeSplits: number[] | number; axis: number }>("SplitV", (inputs, attrs, backend) => {
    const { x } = inputs;
    const [axis] = util.parseAxisParam(attrs.axis, x.shape);
    if (stockSplit === undefined || (axis === x.shape.length - 1 && numbersOf(x, backend) === "bfloat16")) {
      const size = backend_util.prepareSplitSize(x, attrs.numOrSizeSplits, axis);
      const all = { N: size.length, size, T: { type: "bfloat16" } } as const;
      return executeTyped(backend, "ZooConcatGrad", all, [[x, "bfloat16"]], size.length);
    }
    return stockSplit.kernelFunc({ inputs, attrs: attrs as NamedAttrMap, backend });
  });

  const stockConcat = getKernel("Concat", "tensorflow");
  registerTensorflow<{ axis: number }>("Concat", (inputs, attrs, backend) => {
    const parts: TensorInfo[] = Object.values(inputs);
    const [axis] = util.parseAxisParam(attrs.axis, parts[0].shape);
    const halves =
      axis === parts[0].shape.length - 1 &&
      parts.every((part) => util.sizeFromShape(part.shape) > 0 && numbersOf(part, backend) === "bfloat16");
    if (stockConcat === undefined || halves) {
      const typed = parts.map((part) => [part, "bfloat16"] as const);
      return executeTyped(backend, "ZooConcat", { N: parts.length, T: { type: "bfloat16" } }, typed, 1)[0];
    }
    return stockConcat.kernelFunc({ inputs, attrs: attrs as NamedAttrMap, backend });
  });
}
