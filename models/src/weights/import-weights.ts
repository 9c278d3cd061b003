import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { matchNames, sameNumbers } from "./foreign-names.ts";
import { scaleName } from "./int8.ts";
import type { ForeignNetwork } from "./keras/foreign-network.ts";
import { isHdf5 } from "./keras/hdf5.ts";
import { isKerasArchive, readKerasArchive, readKerasHdf5 } from "./keras/keras-file.ts";
import { isLayersModel, readLayersModel, type Shards } from "./keras/layers-model.ts";
import { kerasTensors } from "./keras/to-tensors.ts";
import { torchShape } from "./layout.ts";
import { loadWeights } from "./load-weights.ts";
import { shownName, stateDict } from "./names.ts";
import { readSafetensors, type SafeTensor } from "./safetensors.ts";
import { isTorchFile, readTorchFile } from "./torch-file.ts";

/** What was done with a file that others made. */
export interface ImportReport {
  format: "safetensors" | "PyTorch" | "Keras" | "TensorFlow.js";
  /** tensors that found their place */
  matched: number;
  /** rules by which names became ours, and what else was done to make them fit */
  rules: string[];
  /** tensors that the network has no place for */
  unused: string[];
}

/**
 * Puts weights that others trained into a network: safetensors, a file of torch.save, of Keras (.h5, .keras), or the
 * model.json of a layers-model. PyTorch's names are matched by rule (foreign-names.ts), Keras's layers by name, graph or
 * order (keras/match-layers.ts), and where the file has a graph, that must compute what ours does
 * (keras/compare-graphs.ts); every weight of the network must find its tensor.
 *
 * @param options.shards of a model.json: the files that `layersModelPaths` names
 * @throws InputError, one line: when the file can't be read, or does not fit the network
 */
export function importWeights(
  model: tfl.LayersModel,
  bytes: Uint8Array,
  { shards = new Map() }: { shards?: Shards } = {},
): ImportReport {
  const keras = readKeras(bytes, shards);
  if (keras !== undefined) {
    const { tensors, rules, unused } = kerasTensors(model, keras.network);
    loadWeights(model, { tensors, metadata: {} });
    return { format: keras.format, matched: tensors.size, rules, unused };
  }
  const { format, tensors } = readForeign(bytes);
  const shapes = new Map(
    stateDict(model).map(({ name, variable, layout }) => [name, torchShape(variable.shape as number[], layout)]),
  );
  const wanted = new Set(shapes.keys());
  const { renamed, applied } = matchNames([...tensors.keys()], wanted);
  const ours = new Map<string, SafeTensor>();
  const scales = new Map<string, SafeTensor>(); // of weights of eight bits
  const unused: string[] = [];
  for (const [name, now] of renamed) {
    const scale = tensors.get(scaleName(name));
    if (wanted.has(now) && !ours.has(now)) {
      const tensor = tensors.get(name) as SafeTensor;
      const shape = shapes.get(now) as number[];
      ours.set(now, sameNumbers(tensor.shape, shape) ? { ...tensor, shape } : tensor);
      if (scale !== undefined) scales.set(scaleName(now), scale);
    } else if (!/(^|\.)num_batches_tracked$/.test(name)) unused.push(name);
  }
  const scaled = new Set([...tensors.keys()].map(scaleName));
  if (ours.size === 0) {
    const some = [...tensors.keys()].slice(0, 3).map(shownName);
    throw new InputError(`none of its ${tensors.size} tensors (${some.join(", ")}, …) is one of ${model.name}'s`);
  }
  loadWeights(model, { tensors: new Map([...ours, ...scales]), metadata: {} });
  return { format, matched: ours.size, rules: applied, unused: unused.filter((name) => !scaled.has(name)) };
}

function readKeras(
  bytes: Uint8Array,
  shards: Shards,
): { format: ImportReport["format"]; network: ForeignNetwork } | undefined {
  if (isHdf5(bytes)) return { format: "Keras", network: readKerasHdf5(bytes) };
  if (isKerasArchive(bytes)) return { format: "Keras", network: readKerasArchive(bytes) };
  if (isLayersModel(bytes)) return { format: "TensorFlow.js", network: readLayersModel(bytes, shards) };
  return undefined;
}

function readForeign(bytes: Uint8Array): { format: ImportReport["format"]; tensors: Map<string, SafeTensor> } {
  if (isTorchFile(bytes)) return { format: "PyTorch", tensors: readTorchFile(bytes) };
  const begin = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  if (/^\s*<[!?a-z]/i.test(begin))
    throw new InputError("it is a web page: the server answered with HTML in place of the file");
  return { format: "safetensors", tensors: readSafetensors(bytes).tensors };
}
