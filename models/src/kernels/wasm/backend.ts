import {
  type BackendValues,
  type DataType,
  getKernel,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";

/** The part of tfjs's WebAssembly backend that kernels use. Kernels receive it; nothing of tfjs-backend-wasm is imported. */
export interface WasmBackend {
  /** A tensor whose memory holds anything. Memory may move when it grows: views of the heap are taken afterwards. */
  makeOutput(shape: readonly number[], dtype: DataType): TensorInfo;
  typedArrayFromHeap(info: TensorInfo): BackendValues;
}

export type Inputs = { [name: string]: TensorInfo };

/** What a kernel is handed. */
export interface Call<Attrs> {
  inputs: Inputs;
  attrs: Attrs;
  backend: WasmBackend;
}

export const backendName = "wasm";

/** The kernel that tfjs-backend-wasm brings under this name. */
export function stockKernel(kernelName: string): KernelConfig {
  const stock = getKernel(kernelName, backendName);
  if (!stock) throw new Error(`no wasm kernel ${kernelName}: import @tensorflow/tfjs-backend-wasm first`);
  return stock;
}

/**
 * Registers a wasm kernel in place of any that has its name. The replaced one's set-up still runs with the backend's,
 * so that its kernel can be called.
 */
export function registerWasm<Attrs extends object>(
  kernelName: string,
  kernel: (call: Call<Attrs>) => TensorInfo | TensorInfo[],
): void {
  const replaced = getKernel(kernelName, backendName);
  if (replaced) unregisterKernel(kernelName, backendName);
  registerKernel({
    kernelName,
    backendName,
    setupFunc: replaced?.setupFunc,
    kernelFunc: kernel as unknown as KernelFunc,
  });
}

/** A tensor's values in WebAssembly's memory, to read or to fill. */
export function floats(backend: WasmBackend, info: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(info) as Float32Array;
}
