import type { Vae } from "@tfjs-zoo/models";
import { saveWeights, type WeightDtype } from "@tfjs-zoo/models/weights";
import {
  type AutoencoderInfo,
  autoencoderInfo,
  autoencoderMetadata,
  type ParsedAutoencoder,
} from "../tasks/autoencoder-weights.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import { readWeights, type WeightsFile } from "./weights-file.ts";

/** Writes an autoencoder's weights and what they are for, as safetensors. */
export async function saveAutoencoder(
  path: string,
  { train }: Vae,
  info: AutoencoderInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const bytes = await saveWeights(train, { dtype, metadata: autoencoderMetadata(info) });
  await writeFileAtomic(path, bytes);
  return bytes;
}

/** An autoencoder as it lies on disk. */
export interface AutoencoderFile extends ParsedAutoencoder, WeightsFile {}

/**
 * Reads a file of weights that the zoo wrote.
 *
 * @throws InputError when it can't be read, is damaged or does not say what it is
 */
export async function readAutoencoder(path: string): Promise<AutoencoderFile> {
  const file = await readWeights(path);
  return { ...file, info: autoencoderInfo(file.parsed.metadata, path) };
}
