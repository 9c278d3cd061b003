import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { matchNames } from "./foreign-names.ts";
import { scaleName } from "./int8.ts";
import { loadWeights } from "./load-weights.ts";
import { shownName, stateDict } from "./names.ts";
import { readSafetensors, type SafeTensor } from "./safetensors.ts";
import { isTorchFile, readTorchFile } from "./torch-file.ts";

/** What was done with a file that others made. */
export interface ImportReport {
  format: "safetensors" | "PyTorch";
  /** tensors that found their place */
  matched: number;
  /** rules by which names became ours */
  rules: string[];
  /** tensors that the network has no place for */
  unused: string[];
}

/**
 * Puts weights that others trained into a network: safetensors, or a file of torch.save. Names are matched by rule
 * (foreign-names.ts); every weight of the network must find its tensor, in PyTorch's layout.
 *
 * @throws InputError, one line: when the file can't be read, or does not fit the network
 */
export function importWeights(model: tfl.LayersModel, bytes: Uint8Array): ImportReport {
  const { format, tensors } = readForeign(bytes);
  const wanted = new Set(stateDict(model).map(({ name }) => name));
  const { renamed, applied } = matchNames([...tensors.keys()], wanted);
  const ours = new Map<string, SafeTensor>();
  const scales = new Map<string, SafeTensor>(); // of weights of eight bits
  const unused: string[] = [];
  for (const [name, now] of renamed) {
    const scale = tensors.get(scaleName(name));
    if (wanted.has(now) && !ours.has(now)) {
      ours.set(now, tensors.get(name) as SafeTensor);
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

function readForeign(bytes: Uint8Array): { format: ImportReport["format"]; tensors: Map<string, SafeTensor> } {
  if (isTorchFile(bytes)) return { format: "PyTorch", tensors: readTorchFile(bytes) };
  const begin = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  if (begin.startsWith("\x89HDF"))
    throw new InputError("it is an HDF5 file (Keras), which can't be read yet: save safetensors");
  if (/^\s*</.test(begin)) throw new InputError("it is a web page: the server answered with HTML in place of the file");
  return { format: "safetensors", tensors: readSafetensors(bytes).tensors };
}
