import { findModel, InputError, type ModelEntry } from "@tfjs-zoo/models";
import { readParsed } from "./language-model-file.ts";

/**
 * What a file of weights that the zoo wrote is for.
 *
 * @throws InputError when it can't be read, is damaged or does not say which network it is of
 */
export async function taskOfFile(path: string): Promise<ModelEntry["task"]> {
  const { model } = (await readParsed(path)).metadata;
  if (model === undefined) {
    throw new InputError(`${path} does not say which model it is of: give weights that \`train\` or \`publish\` wrote`);
  }
  return findModel(model).task;
}
