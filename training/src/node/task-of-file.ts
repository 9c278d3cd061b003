import { findModel, type ModelEntry } from "@tfjs-zoo/models";
import { saidModel } from "../tasks/weights-file.ts";
import { readWeights } from "./weights-file.ts";

/**
 * What a file of weights that the zoo wrote is for.
 *
 * @throws InputError when it can't be read, is damaged or does not say which network it is of
 */
export async function taskOfFile(path: string): Promise<ModelEntry["task"]> {
  const { parsed } = await readWeights(path);
  return findModel(saidModel(parsed.metadata, path)).task;
}
