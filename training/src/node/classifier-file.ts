import type * as tfl from "@tensorflow/tfjs-layers";
import { foldBatchNorm } from "@tfjs-zoo/models";
import type { WeightDtype } from "@tfjs-zoo/models/weights";
import {
  type ClassifierInfo,
  classifierBytes,
  classifierFrom,
  classifierInfo,
  networkOf,
  type ParsedClassifier,
} from "../tasks/classifier-weights.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import { readWeights, type WeightsFile, weightsBytes } from "./weights-file.ts";

/** Writes a classifier's weights and what they are for, as safetensors. */
export async function saveClassifier(
  path: string,
  model: tfl.LayersModel,
  info: ClassifierInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const bytes = await classifierBytes(model, info, dtype);
  await writeFileAtomic(path, bytes);
  return bytes;
}

/** A file of a classifier's weights. */
export interface ClassifierFile extends ParsedClassifier, WeightsFile {}

/**
 * Reads a file of weights that the zoo wrote.
 *
 * @throws InputError when it can't be read, is damaged or does not say what it is
 */
export async function readClassifier(path: string): Promise<ClassifierFile> {
  const file = await readWeights(path);
  return { ...file, info: classifierInfo(file.parsed.metadata, path) };
}

/**
 * Reads a classifier from a file of weights that the zoo wrote, and builds its network.
 *
 * @throws InputError as `readClassifier` does, and when its tensors do not fit the network
 */
export async function loadClassifier(path: string): Promise<{ model: tfl.LayersModel; info: ClassifierInfo }> {
  return classifierFrom(await weightsBytes(path), path);
}

/**
 * Builds the network of a file for inference: batch norms are folded into its convolutions.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export function inferenceNetworkOf(file: ClassifierFile): tfl.LayersModel {
  const trained = networkOf(file, file.path);
  const model = foldBatchNorm(trained);
  trained.dispose();
  return model;
}

/**
 * A classifier whose batch norms are folded into its convolutions: the same answers, sooner.
 *
 * @throws InputError as `loadClassifier` does
 */
export async function loadForInference(path: string): Promise<{ model: tfl.LayersModel; info: ClassifierInfo }> {
  const file = await readClassifier(path);
  return { model: inferenceNetworkOf(file), info: file.info };
}
