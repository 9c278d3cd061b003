/** Puts the weights of a safetensors file into a model. */
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { toFloat32 } from "./floats.ts";
import { fromInt8, scaleName } from "./int8.ts";
import { fromTorch, torchShape } from "./layout.ts";
import { stateDict } from "./names.ts";
import { readSafetensors, type SafeTensors } from "./safetensors.ts";

/** What `loadWeights` did not do, when it was told not to mind. */
export interface LoadReport {
  /** Weights of the model that the file lacks: they keep their values. */
  readonly missing: string[];
  /** Tensors of the file that the model has no place for. */
  readonly extra: string[];
}

/**
 * Loads weights under PyTorch's names and in its layouts. Everything is checked before the first weight is written: an
 * error leaves the model as it was. `num_batches_tracked` is ignored.
 *
 * @param model of this package's layers
 * @param file bytes of a safetensors file, or what `readSafetensors` made of them
 * @param options.strict false: tensors that only the file or only the model has are reported, not refused. What both
 *   have must always fit.
 * @throws InputError, one line for all that doesn't fit
 */
export function loadWeights(
  model: tfl.LayersModel,
  file: Uint8Array | SafeTensors,
  { strict = true }: { strict?: boolean } = {},
): LoadReport {
  const { tensors, metadata } = file instanceof Uint8Array ? readSafetensors(file) : file;
  const entries = stateDict(model);

  const names = new Set(entries.map(({ name }) => name));
  const missing = [...names].filter((name) => !tensors.has(name));
  const scales = new Set([...names].filter((name) => tensors.get(name)?.dtype === "I8").map(scaleName));
  const known = (name: string) => names.has(name) || scales.has(name) || /(^|\.)num_batches_tracked$/.test(name);
  const extra = [...tensors.keys()].filter((name) => !known(name));
  const misshaped: string[] = [];
  const unusable: string[] = [];
  const updates: (() => void)[] = [];
  for (const { name, variable, layout } of entries) {
    const tensor = tensors.get(name);
    if (!tensor) continue;
    const shape = variable.shape as number[];
    const expected = torchShape(shape, layout);
    if (tensor.shape.join() !== expected.join())
      misshaped.push(`${name} is [${tensor.shape.join(", ")}], expected [${expected.join(", ")}]`);
    else if (tensor.dtype === "I8") {
      const scale = tensors.get(scaleName(name));
      if (scale?.dtype !== "F32" || scale.shape.join() !== String(expected[0]))
        unusable.push(`${name} is I8 without ${expected[0]} F32 scales beside it`);
      else
        updates.push(() => {
          const values = fromInt8(new Int8Array(new Uint8Array(tensor.data).buffer), toFloat32(scale));
          variable.write(tf.tensor(fromTorch(values, shape, layout), shape));
        });
    } else if (!["F32", "F16", "BF16", "F64"].includes(tensor.dtype)) unusable.push(`${name} is ${tensor.dtype}`);
    else
      updates.push(() => {
        variable.write(tf.tensor(fromTorch(toFloat32(tensor), shape, layout), shape));
      });
  }

  const faults = [
    ...(strict ? [summary("missing", missing), summary("extra", extra)] : []),
    summary("mis-shaped", misshaped),
    summary("not usable", unusable),
  ].filter((fault) => fault !== "");
  if (faults.length > 0) {
    const other = metadata.model !== undefined && metadata.model !== model.name;
    const hint = other ? `; the file says that it is for ${JSON.stringify(metadata.model.slice(0, 60))}` : "";
    throw new InputError(`these weights don't fit ${model.name} (${names.size} tensors): ${faults.join("; ")}${hint}`);
  }
  for (const update of updates) tf.tidy(update);
  return { missing, extra };
}

/** "12 missing (a, b, c, …)", or nothing. */
function summary(what: string, items: readonly string[]): string {
  if (items.length === 0) return "";
  const shown = items.slice(0, 3).map((item) => JSON.stringify(item.slice(0, 100)).slice(1, -1));
  return `${items.length} ${what} (${shown.join(", ")}${items.length > 3 ? ", …" : ""})`;
}
