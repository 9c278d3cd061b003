import type { DataType, KernelFunc, Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import { getKernel, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";

export const BFLOAT16 = 14; // TF_BFLOAT16, which tfjs-node's binding does not name

/** One attribute of a TensorFlow op, as tfjs-node's binding takes it. */
export interface OpAttr {
  name: string;
  type: number;
  value: string | number | boolean | readonly number[];
}

/** The part of tfjs-node's backend that kernels use. Kernels receive it; nothing of tfjs-node is imported. */
export interface TensorflowBackend {
  readonly binding: {
    readonly TF_ATTR_STRING: number;
    readonly TF_ATTR_INT: number;
    readonly TF_ATTR_FLOAT: number;
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_TYPE: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
  };
  executeSingleOutput(op: string, attrs: OpAttr[], inputs: TensorInfo[]): Tensor;
  executeMultipleOutputs(op: string, attrs: OpAttr[], inputs: TensorInfo[], outputs: number): Tensor[];
}

/** What a kernel gets, by name. */
export type Inputs = { [name: string]: TensorInfo };

/** Registers a kernel for the `tensorflow` backend in place of any that has its name. */
export function registerTensorflow<A extends object>(
  kernelName: string,
  kernel: (inputs: Inputs, attrs: A, backend: TensorflowBackend) => TensorInfo | TensorInfo[],
): void {
  const backendName = "tensorflow";
  if (getKernel(kernelName, backendName) !== undefined) unregisterKernel(kernelName, backendName);
  const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) =>
    kernel(inputs as Inputs, attrs as unknown as A, backend as TensorflowBackend);
  registerKernel({ kernelName, backendName, kernelFunc });
}

/** Attributes of a TensorFlow op, typed by their values: a `DataType` is given as `{ type: "float32" }`. */
export function opAttrs(
  { binding }: TensorflowBackend,
  attrs: { [name: string]: string | number | boolean | number[] | { type: DataType | "bfloat16" } | { float: number } },
): OpAttr[] {
  return Object.entries(attrs).map(([name, value]): OpAttr => {
    if (typeof value === "string") return { name, type: binding.TF_ATTR_STRING, value };
    if (typeof value === "boolean") return { name, type: binding.TF_ATTR_BOOL, value };
    if (typeof value === "number") return { name, type: binding.TF_ATTR_INT, value };
    if (Array.isArray(value)) return { name, type: binding.TF_ATTR_INT, value };
    if ("float" in value) return { name, type: binding.TF_ATTR_FLOAT, value: value.float };
    const types: { [type: string]: number } = { int32: binding.TF_INT32, bfloat16: BFLOAT16 };
    return { name, type: binding.TF_ATTR_TYPE, value: types[value.type] ?? binding.TF_FLOAT };
  });
}
