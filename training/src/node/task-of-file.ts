import { readFile } from "node:fs/promises";
import { findModel, InputError, type ModelEntry } from "@tfjs-zoo/models";
import { readSafetensors } from "@tfjs-zoo/models/weights";

/**
 * What a file of weights that the zoo wrote is for.
 *
 * @throws InputError when it can't be read, is damaged or does not say which network it is of
 */
export async function taskOfFile(path: string): Promise<ModelEntry["task"]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`can't read ${path} (${code}): give a run's folder, NAME.TAG, or a .safetensors file`);
  }
  let model: string | undefined;
  try {
    model = readSafetensors(bytes).metadata.model;
  } catch (error) {
    throw new InputError(`${path}: ${(error as Error).message}`);
  }
  if (model === undefined) {
    throw new InputError(`${path} does not say which model it is of: give weights that \`train\` or \`publish\` wrote`);
  }
  return findModel(model).task;
}
