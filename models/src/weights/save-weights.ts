/** Writes a model's weights as a safetensors file. */
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { fromFloat32 } from "./floats.ts";
import { scaleName, toInt8 } from "./int8.ts";
import { torchShape, toTorch } from "./layout.ts";
import { stateDict } from "./names.ts";
import { type SafeTensor, writeSafetensors } from "./safetensors.ts";

/** What weights can be written in. */
export const weightDtypes = ["F32", "F16", "I8"] as const;
export type WeightDtype = (typeof weightDtypes)[number];

/**
 * Saves weights under PyTorch's names and in its layouts, so that PyTorch's `load_state_dict(…, strict=True)` takes
 * them. All values are of one moment: that of the call.
 *
 * @param model of this package's layers
 * @param options.dtype "F16" halves the file and rounds each value to 11 bits; "I8" quarters it: weights of several axes
 *   have eight bits and a scale for each output channel (int8.ts), the others stay F32. PyTorch does not take that.
 * @param options.metadata strings for the file's header; `model` is the model's name and `format` "pt" ("int8" for I8)
 *   unless given
 * @returns the bytes of the file; the same weights give the same bytes
 * @throws InputError when a value is too large for F16
 */
export async function saveWeights(
  model: tfl.LayersModel,
  { dtype = "F32", metadata = {} }: { dtype?: WeightDtype; metadata?: Readonly<Record<string, string>> } = {},
): Promise<Uint8Array> {
  const tensors = new Map<string, SafeTensor>();
  await Promise.all(
    stateDict(model).map(async ({ name, variable, layout }) => {
      const shape = variable.shape as number[];
      const values = toTorch((await variable.read().data()) as Float32Array, shape, layout);
      if (dtype === "F16" && values.some((x) => Math.abs(x) >= 65520 && Number.isFinite(x)))
        throw new InputError(`${name} has values above 65504, the largest that F16 can hold; save it as F32`);
      const torch = torchShape(shape, layout);
      if (dtype === "I8" && torch.length > 1) {
        const { quantized, scales } = toInt8(values, torch[0]);
        tensors.set(name, { dtype, shape: torch, data: new Uint8Array(quantized.buffer) });
        tensors.set(scaleName(name), { dtype: "F32", shape: [torch[0]], data: fromFloat32(scales, "F32") });
        return;
      }
      const float = dtype === "I8" ? "F32" : dtype;
      tensors.set(name, { dtype: float, shape: torch, data: fromFloat32(values, float) });
      if (dtype !== "I8" && name.endsWith(".running_mean"))
        tensors.set(name.replace(/running_mean$/, "num_batches_tracked"), {
          dtype: "I64",
          shape: [],
          data: new Uint8Array(8),
        });
    }),
  );
  return writeSafetensors(tensors, { format: dtype === "I8" ? "int8" : "pt", model: model.name, ...metadata });
}
