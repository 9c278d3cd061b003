import { type BackendValues, StridedSlice, slice_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { registerWasm, stockKernel, type WasmBackend } from "./backend.ts";

interface StridedSliceAttrs {
  begin: number[];
  end: number[];
  strides: number[];
  beginMask: number;
  endMask: number;
  ellipsisMask: number;
  newAxisMask: number;
  shrinkAxisMask: number;
}

/**
 * Every s-th element along each axis, y[i, j, …] = x[b₀ + s₀ i, b₁ + s₁ j, …], copied in runs along the trailing axes
 * that are taken whole. The stock kernel reads the numbers one by one through a general index, forty times slower, and takes
 * integers for floats.
 */
export function registerStridedSlice(): void {
  const stock = stockKernel(StridedSlice);
  registerWasm<StridedSliceAttrs>(StridedSlice, (call) => {
    const { x } = call.inputs;
    const { attrs, backend } = call;
    const { finalShape, sliceDim0, isIdentity, isSimpleSlice, begin, end, strides } = slice_util.sliceInfo(
      x.shape,
      attrs.begin,
      attrs.end,
      attrs.strides,
      attrs.beginMask,
      attrs.endMask,
      attrs.ellipsisMask,
      attrs.newAxisMask,
      attrs.shrinkAxisMask,
    );
    if (isIdentity || isSimpleSlice || sliceDim0 || x.dtype === "string") {
      return stock.kernelFunc(call as unknown as Parameters<typeof stock.kernelFunc>[0]);
    }
    const shape = begin.map((first, axis) => Math.max(0, Math.ceil((end[axis] - first) / strides[axis])));
    return copyStrided(x, { shape, finalShape, begin, strides }, backend);
  });
}

interface Slice {
  /** Of the result before axes are dropped or added: one axis for each axis of x. */
  shape: number[];
  finalShape: number[];
  begin: number[];
  strides: number[];
}

function copyStrided(x: TensorInfo, { shape, finalShape, begin, strides }: Slice, backend: WasmBackend): TensorInfo {
  const result = backend.makeOutput(finalShape, x.dtype);
  const from = backend.typedArrayFromHeap(x) as Float32Array;
  const to = backend.typedArrayFromHeap(result) as BackendValues & Float32Array;
  const rank = x.shape.length;
  const steps = [...util.computeStrides(x.shape), 1];
  let outer = rank;
  let run = 1;
  while (outer > 0 && strides[outer - 1] === 1 && begin[outer - 1] === 0 && shape[outer - 1] === x.shape[outer - 1]) {
    outer--;
    run *= x.shape[outer];
  }
  const index = new Array<number>(outer).fill(0);
  let at = begin.slice(0, outer).reduce((sum, first, axis) => sum + first * steps[axis], 0);
  for (let written = 0; written < to.length; written += run) {
    for (let k = 0; k < run; k++) to[written + k] = from[at + k];
    for (let axis = outer - 1; axis >= 0; axis--) {
      at += strides[axis] * steps[axis];
      if (++index[axis] < shape[axis]) break;
      at -= shape[axis] * strides[axis] * steps[axis];
      index[axis] = 0;
    }
  }
  return result;
}
