import type { Gan } from "@tfjs-zoo/models";
import { saveWeights, type WeightDtype } from "@tfjs-zoo/models/weights";
import { type GanInfo, ganInfo, ganMetadata, type ParsedGan } from "../tasks/gan-weights.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import { readWeights, type WeightsFile } from "./weights-file.ts";

/** Writes the weights of a GAN's generator and what they are for, as safetensors. */
export async function saveGan(
  path: string,
  { generator }: Pick<Gan, "generator">,
  info: GanInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const bytes = await saveWeights(generator, { dtype, metadata: ganMetadata(info) });
  await writeFileAtomic(path, bytes);
  return bytes;
}

/** A GAN's generator as it lies on disk. */
export interface GanFile extends ParsedGan, WeightsFile {}

/**
 * Reads a file of weights that the zoo wrote.
 *
 * @throws InputError when it can't be read, is damaged or does not say what it is
 */
export async function readGan(path: string): Promise<GanFile> {
  const file = await readWeights(path);
  return { ...file, info: ganInfo(file.parsed.metadata, path) };
}
