import type * as tfl from "@tensorflow/tfjs-layers";
import { saveWeights, type WeightDtype } from "@tfjs-zoo/models/weights";
import {
  type DiffusionInfo,
  diffusionInfo,
  diffusionMetadata,
  type ParsedDiffusion,
} from "../tasks/diffusion-weights.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import { readWeights, type WeightsFile } from "./weights-file.ts";

/** Writes the weights of a network of diffusion and what they are for, as safetensors. */
export async function saveDiffusion(
  path: string,
  model: tfl.LayersModel,
  info: DiffusionInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const bytes = await saveWeights(model, { dtype, metadata: diffusionMetadata(info) });
  await writeFileAtomic(path, bytes);
  return bytes;
}

/** A network of diffusion as it lies on disk. */
export interface DiffusionFile extends ParsedDiffusion, WeightsFile {}

/**
 * Reads a file of weights that the zoo wrote.
 *
 * @throws InputError when it can't be read, is damaged or does not say what it is
 */
export async function readDiffusion(path: string): Promise<DiffusionFile> {
  const file = await readWeights(path);
  return { ...file, info: diffusionInfo(file.parsed.metadata, path) };
}
