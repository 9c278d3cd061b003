import { engine, type Tensor, type TensorInfo } from "@tensorflow/tfjs-core";
import { BFLOAT16, type OpAttr, opAttrs, type TensorflowBackend } from "./backend.ts";

/**
 * Numbers of half the width behind tensors that TensorFlow.js takes for float32.
 *
 * TensorFlow.js knows no bfloat16, but a tensor on `tensorflow` is a handle to a tensor of TensorFlow, which does. A
 * kernel of ours may return such a handle, and takes either kind; for every other kernel, and for reading values, the
 * handle is changed for one to a float32 copy, made when it is first needed and freed with the tensor. This file owns
 * those handles.
 */
export type Numbers = "float32" | "bfloat16";

/** What the backend keeps for a tensor's data; `twin` is ours: a handle to the same values as the other kind. */
interface Entry {
  id: number;
  dtype: number;
  shape: number[];
  refCount: number;
  values: unknown;
  twin?: number;
}

/** What tfjs-node's backend has beside its public methods. */
interface Handles {
  readonly binding: {
    executeOp(op: string, attrs: OpAttr[], ids: number[], outputs: number): OutputHandle[];
    deleteTensor(id: number): void;
    tensorDataSync(id: number): unknown;
  };
  readonly tensorMap: { get(dataId: object): Entry; has(dataId: object): boolean; set(id: object, entry: Entry): void };
  getInputTensorIds(tensors: TensorInfo[]): number[];
  createOutputTensor(output: OutputHandle): Tensor;
  disposeData(dataId: object, force?: boolean): boolean;
  readSync(dataId: object): unknown;
}

interface OutputHandle {
  id: number;
  dtype: number;
  shape: number[];
}

/** A backend's own way to a tensor's handle, before it was made to know of bfloat16. */
const rawIds = new WeakMap<object, Handles["getInputTensorIds"]>();

let [possible, active] = [false, false];

/** Says whether TensorFlow knows ops for numbers in bf16. */
export function allowBf16(allowed: boolean): void {
  possible = allowed;
}

/** Whether products are to be computed in bf16 now. */
export const isBf16 = (): boolean => active;

/**
 * In which numbers TensorFlow knows the zoo's convolutions and matrix products by tiles (training/native/matrix-tiles.h):
 * both on a processor with a matrix unit, bf16 on one whose vectors multiply it.
 */
export interface TiledNumbers {
  f32: boolean;
  bf16: boolean;
}

/** Whether the zoo's own products are to be had in the numbers asked for now. */
export const isTiled = (tiles: TiledNumbers): boolean => (active ? tiles.bf16 : tiles.f32);

/**
 * Runs `body` with the products of convolutions and matrices computed in bf16 and their results kept in it, as
 * PyTorch's autocast does: weights, statistics, sums, losses and all other ops stay in single precision. It needs the
 * zoo's kernels and a processor that multiplies bf16; elsewhere it changes nothing.
 */
export function inBf16<T>(body: () => T): T {
  const before = active;
  active = possible;
  try {
    return body();
  } finally {
    active = before;
  }
}

/** Ops that have kernels for tensors in bf16. */
export const bf16Ops = [
  "Add",
  "Attention",
  "AttentionLean",
  "AvgPool2D",
  "BatchNormInference",
  "BatchNormTraining",
  "Concat",
  "Conv2D",
  "ConvTranspose2D",
  "DepthwiseConv2D",
  "Dropout",
  "Gelu",
  "GlobalAvgPool2D",
  "GroupNorm",
  "LayerNorm",
  "LayerScale",
  "LeakyRelu",
  "MaxPool2D",
  "Relu",
  "ShortcutA",
  "Silu",
] as const;

/** The numbers of a tensor on `tensorflow`, rounded to bf16 and kept in it; as they are where nothing can be. */
export function toBf16(x: Tensor): Tensor {
  if (!possible) return x.clone();
  const attrs = { SrcT: { type: "float32" }, DstT: { type: "bfloat16" }, Truncate: false } as const;
  return executeTyped(engine().backend as unknown as TensorflowBackend, "Cast", attrs, [[x, "float32"]], 1)[0];
}

/** What is behind a tensor. */
export function numbersOf(tensor: TensorInfo, backend: TensorflowBackend): Numbers {
  const entry = (backend as unknown as Handles).tensorMap.get(tensor.dataId);
  return entry.dtype === BFLOAT16 ? "bfloat16" : "float32";
}

/** Runs an op of TensorFlow that takes each input as the numbers named with it. */
export function executeTyped(
  backend: TensorflowBackend,
  op: string,
  attrs: Parameters<typeof opAttrs>[1],
  inputs: readonly (readonly [TensorInfo, Numbers])[],
  outputs: number,
): Tensor[] {
  const handles = prepared(backend as unknown as Handles);
  const ids = inputs.map(([tensor, numbers]) => idOf(tensor, numbers, handles));
  const results = handles.binding.executeOp(op, opAttrs(backend, attrs), ids, outputs);
  return results.map((output) => handles.createOutputTensor(output));
}

/** y + bias and its ReLU, in single precision; y goes. */
export function withBias(backend: TensorflowBackend, y: Tensor, bias: TensorInfo, relu = false): Tensor {
  const T = { type: "float32" } as const;
  const [shifted] = executeTyped(backend, "BiasAdd", { T, data_format: "NHWC" }, single(y, bias), 1);
  y.dispose();
  if (!relu) return shifted;
  const [positive] = executeTyped(backend, "Relu", { T }, single(shifted), 1);
  shifted.dispose();
  return positive;
}

/** Inputs that an op takes in single precision. */
export const single = (...tensors: TensorInfo[]) => all("float32", ...tensors);

/** Inputs that an op takes as the same numbers. */
export const all = (type: Numbers, ...tensors: TensorInfo[]) =>
  tensors.map((tensor): [TensorInfo, Numbers] => [tensor, type]);

function idOf(tensor: TensorInfo, numbers: Numbers, handles: Handles): number {
  const [id] = (rawIds.get(handles) as Handles["getInputTensorIds"]).call(handles, [tensor]);
  const entry = handles.tensorMap.get(tensor.dataId);
  if ((entry.dtype === BFLOAT16) === (numbers === "bfloat16")) return id;
  entry.twin ??= cast(id, numbers, handles);
  return entry.twin;
}

function cast(id: number, to: Numbers, handles: Handles): number {
  const attrs = opAttrs(handles as unknown as TensorflowBackend, {
    SrcT: { type: to === "bfloat16" ? "float32" : "bfloat16" },
    DstT: { type: to },
    Truncate: false,
  });
  return handles.binding.executeOp("Cast", attrs, [id], 1)[0].id;
}

/** Makes a backend's own methods know of bfloat16, once. */
function prepared(handles: Handles): Handles {
  if (rawIds.has(handles)) return handles;
  const { getInputTensorIds, createOutputTensor, disposeData, readSync } = handles;
  rawIds.set(handles, getInputTensorIds);
  const isHalf = (dataId: object) => handles.tensorMap.has(dataId) && handles.tensorMap.get(dataId).dtype === BFLOAT16;

  handles.getInputTensorIds = (tensors) => {
    // An int64 scalar of tfjs-node is no tensor and has no dataId.
    if (!tensors.some(({ dataId }) => dataId !== undefined && isHalf(dataId))) {
      return getInputTensorIds.call(handles, tensors);
    }
    return tensors.map((tensor) =>
      tensor.dataId === undefined
        ? getInputTensorIds.call(handles, [tensor])[0]
        : isHalf(tensor.dataId)
          ? idOf(tensor, "float32", handles)
          : getInputTensorIds.call(handles, [tensor])[0],
    );
  };

  handles.createOutputTensor = (output) => {
    if (output.dtype !== BFLOAT16) return createOutputTensor.call(handles, output);
    const dataId = {};
    const { id, shape } = output;
    handles.tensorMap.set(dataId, { id, shape, dtype: BFLOAT16, values: null, refCount: 1 });
    return engine().makeTensorFromTensorInfo({ dataId, shape, dtype: "float32" });
  };

  handles.disposeData = (dataId, force) => {
    const twin = handles.tensorMap.has(dataId) ? handles.tensorMap.get(dataId).twin : undefined;
    const gone = disposeData.call(handles, dataId, force);
    if (gone && twin !== undefined) handles.binding.deleteTensor(twin);
    return gone;
  };

  handles.readSync = (dataId) =>
    isHalf(dataId)
      ? handles.binding.tensorDataSync(idOf({ dataId, shape: [], dtype: "float32" }, "float32", handles))
      : readSync.call(handles, dataId);
  return handles;
}
