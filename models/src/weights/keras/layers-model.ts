/** A layers-model of TensorFlow.js: model.json, and the files of weights (shards) that its manifest names. */
import { InputError } from "../../errors.ts";
import { fromFloat32 } from "../floats.ts";
import { shownName } from "../names.ts";
import { type SafeTensor, sizeOf } from "../safetensors.ts";
import { type ForeignNetwork, roleOf } from "./foreign-network.ts";
import { graphOf } from "./graph.ts";

/** The files of weights by their paths in the manifest. */
export type Shards = ReadonlyMap<string, Uint8Array>;

interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** value = number · scale + min; of float16 the numbers are the values */
  readonly quantization?: { readonly dtype: string; readonly scale?: number; readonly min?: number };
}

interface WeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly WeightEntry[];
}

/** Whether bytes look like a model.json: a JSON object. (A safetensors file begins with the length of its header.) */
export const isLayersModel = (bytes: Uint8Array): boolean =>
  /^\s*\{/.test(new TextDecoder("latin1").decode(bytes.subarray(0, 64))) && jsonOf(bytes) !== undefined;

/**
 * The paths of the shards, beside model.json.
 *
 * @returns undefined where it is no JSON at all
 * @throws InputError, one line: when it is no layers-model, or a path leads elsewhere or is listed twice
 */
export function layersModelPaths(bytes: Uint8Array): string[] | undefined {
  return isLayersModel(bytes) ? manifestOf(jsonOf(bytes)).flatMap(({ paths }) => paths) : undefined;
}

/**
 * @param bytes of model.json
 * @throws InputError, one line: when it is damaged, or a shard is missing or too short
 */
export function readLayersModel(bytes: Uint8Array, shards: Shards): ForeignNetwork {
  const json = jsonOf(bytes);
  const groups = manifestOf(json);
  const graph = graphOf((json as { modelTopology: unknown }).modelTopology);
  const names = new Set(graph.map(({ name }) => name));
  const layers = new Map<string, Map<string, SafeTensor>>();
  for (const { paths, weights } of groups) {
    const parts = paths.map((path) => {
      const shard = shards.get(path);
      if (shard === undefined) throw new InputError(`its file of weights ${shownName(path)} is not given`);
      return shard;
    });
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    checkLength(weights, length);
    const data = joined(parts, length);
    let at = 0;
    for (const entry of weights) {
      const { tensor, bytes: taken } = decode(entry, data, at);
      at += taken;
      const path = entry.name.slice(0, Math.max(0, entry.name.lastIndexOf("/")));
      // Keras 3 puts the model's name before the layer's.
      const layer = names.has(path) ? path : path.slice(path.lastIndexOf("/") + 1);
      const roles = layers.get(layer) ?? new Map<string, SafeTensor>();
      layers.set(layer, roles.set(roleOf(entry.name), tensor));
    }
  }
  return { layers: [...layers].map(([name, weights]) => ({ name, weights })), order: "all", graph };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function manifestOf(json: unknown): WeightGroup[] {
  const { modelTopology, weightsManifest, format } = (json ?? {}) as { [key: string]: unknown };
  if (format === "graph-model")
    throw new InputError("it is a graph-model, whose layers are gone: convert to a layers-model");
  if (
    typeof modelTopology !== "object" ||
    modelTopology === null ||
    !Array.isArray(weightsManifest) ||
    !weightsManifest.every(isGroup)
  ) {
    throw new InputError("it is JSON, but no layers-model: that has a modelTopology and a weightsManifest");
  }
  const seen = new Set<string>();
  for (const path of weightsManifest.flatMap(({ paths }) => paths)) {
    const isInside =
      !/^[/\\]|^[a-z][a-z\d+.-]*:|\\/i.test(path) && path.split("/").every((part) => !["", ".", ".."].includes(part));
    if (!isInside) throw new InputError(`its file of weights ${shownName(path)} does not lie beside it: refused`);
    if (seen.has(path)) throw new InputError(`its file of weights ${shownName(path)} is listed twice: refused`);
    seen.add(path);
  }
  return weightsManifest;
}

function isGroup(value: unknown): value is WeightGroup {
  const { paths, weights } = (value ?? {}) as { [key: string]: unknown };
  return Array.isArray(paths) && paths.every(isText) && Array.isArray(weights) && weights.every(isEntry);
}

const isText = (item: unknown): item is string => typeof item === "string";

function isEntry(value: unknown): value is WeightEntry {
  const { name, shape, dtype, quantization } = (value ?? {}) as { [key: string]: unknown };
  const isCount = (item: unknown) => Number.isSafeInteger(item) && (item as number) >= 0;
  const isQuantization = typeof quantization === "object" && quantization !== null;
  return (
    typeof name === "string" &&
    typeof dtype === "string" &&
    Array.isArray(shape) &&
    shape.every(isCount) &&
    (quantization === undefined || (isQuantization && isText((quantization as { dtype?: unknown }).dtype)))
  );
}

const numbers = { float32: 4, float16: 2, uint16: 2, uint8: 1 } as const;

/**
 * How many bytes a weight takes.
 *
 * @throws InputError when it is of a type that we don't read
 */
function bytesOf({ name, shape, dtype, quantization }: WeightEntry): number {
  const stored = quantization?.dtype ?? dtype;
  if (dtype !== "float32" || !Object.hasOwn(numbers, stored)) {
    throw new InputError(
      `its weight ${shownName(name)} is ${shownName(stored)}; expected float32, or that in uint8, uint16 or float16`,
    );
  }
  const isCoded = stored === "uint8" || stored === "uint16";
  if (isCoded && !(Number.isFinite(quantization?.scale) && Number.isFinite(quantization?.min)))
    throw new InputError(`its weight ${shownName(name)} has no scale and minimum`);
  return sizeOf(shape) * numbers[stored as keyof typeof numbers];
}

/** @throws InputError unless the weights take as many bytes as there are */
function checkLength(weights: readonly WeightEntry[], length: number): void {
  let needed = 0;
  for (const entry of weights) {
    needed += bytesOf(entry);
    if (!(needed <= length))
      throw new InputError(
        `its weight ${shownName(entry.name)} [${entry.shape.join(", ")}] is not whole: a file of weights is too short`,
      );
  }
  if (needed !== length) throw new InputError(`its files of weights have ${length} bytes; model.json says ${needed}`);
}

function decode(entry: WeightEntry, data: Uint8Array, at: number): { tensor: SafeTensor; bytes: number } {
  const { shape, dtype, quantization } = entry;
  const stored = quantization?.dtype ?? dtype;
  const bytes = bytesOf(entry);
  const own = data.subarray(at, at + bytes);
  if (stored === "float32") return { tensor: { dtype: "F32", shape, data: own }, bytes };
  if (stored === "float16") return { tensor: { dtype: "F16", shape, data: own }, bytes };
  const { scale, min } = quantization as { scale: number; min: number };
  const codes = stored === "uint8" ? own : new Uint16Array(own.slice().buffer);
  const values = Float32Array.from(codes, (code) => code * scale + min);
  return { tensor: { dtype: "F32", shape, data: fromFloat32(values, "F32") }, bytes };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
