import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type * as tfl from "@tensorflow/tfjs-layers";
import { createModel, findModel, foldBatchNorm, InputError } from "@tfjs-zoo/models";
import {
  loadWeights,
  readSafetensors,
  type SafeTensors,
  saveWeights,
  type WeightDtype,
} from "@tfjs-zoo/models/weights";
import { writeFileAtomic } from "./runs/atomic-write.ts";

/** What a file of a classifier's weights says of itself: enough to use it on a picture. */
export interface ClassifierInfo {
  model: string;
  /** the data set that it was trained on */
  dataset: string;
  classes: readonly string[];
  /** [height, width, channels] */
  inputShape: readonly [number, number, number];
  /** per channel, of pixels scaled to 0..1 */
  mean: readonly number[];
  std: readonly number[];
}

/** Writes a classifier's weights and what they are for, as safetensors. */
export async function saveClassifier(
  path: string,
  model: tfl.LayersModel,
  info: ClassifierInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  const bytes = await saveWeights(model, { dtype, metadata: classifierMetadata(info) });
  await writeFileAtomic(path, bytes);
  return bytes;
}

/** What a file says of a classifier, as texts: formats of weights hold nothing else. */
export function classifierMetadata({ model, dataset, classes, inputShape, mean, std }: ClassifierInfo) {
  return {
    model,
    dataset,
    classes: JSON.stringify(classes),
    input_shape: JSON.stringify(inputShape),
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
  };
}

/** A file of a classifier's weights: what it says of itself, and its tensors, which may not fit its network. */
export interface ClassifierFile {
  path: string;
  info: ClassifierInfo;
  parsed: SafeTensors;
  /** of the file's bytes, in hexadecimal */
  sha256: string;
}

/**
 * Reads a file of weights that the zoo wrote.
 *
 * @throws InputError when the file is damaged or does not say what it is
 */
export async function readClassifier(path: string): Promise<ClassifierFile> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`can't read ${path} (${code}): give a run's folder, NAME.TAG, or a .safetensors file`);
  }
  let parsed: SafeTensors;
  try {
    parsed = readSafetensors(bytes);
  } catch (error) {
    throw new InputError(`${path}: ${(error as Error).message}`);
  }
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path, info: infoOf(parsed.metadata, path), parsed, sha256 };
}

/**
 * Reads a classifier from a file of weights that the zoo wrote, and builds its network.
 *
 * @throws InputError when the file is damaged, does not say what it is, or does not fit the network
 */
export async function loadClassifier(path: string): Promise<{ model: tfl.LayersModel; info: ClassifierInfo }> {
  const { info, parsed } = await readClassifier(path);
  const { classes, inputShape } = info;
  const model = createModel(info.model, { classes: classes.length, inputShape, seed: null });
  try {
    loadWeights(model, parsed);
  } catch (error) {
    model.dispose();
    throw new InputError(`${path}: ${(error as Error).message}`);
  }
  return { model, info };
}

/**
 * A classifier whose batch norms are folded into its convolutions: the same answers, sooner.
 *
 * @throws InputError as `loadClassifier` does
 */
export async function loadForInference(path: string): Promise<{ model: tfl.LayersModel; info: ClassifierInfo }> {
  const { model: trained, info } = await loadClassifier(path);
  const model = foldBatchNorm(trained);
  trained.dispose();
  return { model, info };
}

function infoOf(metadata: Record<string, string>, path: string): ClassifierInfo {
  const numbers = (key: string, length?: number): number[] => {
    const value = list(metadata[key]);
    if (value?.every(Number.isFinite) && (length === undefined || value.length === length)) return value as number[];
    throw new InputError(`${path} does not say its ${key}: give weights that \`train\` or \`publish\` wrote`);
  };
  if (metadata.model === undefined) {
    throw new InputError(`${path} does not say which model it is of: give weights that \`train\` or \`publish\` wrote`);
  }
  findModel(metadata.model);
  const classes = list(metadata.classes);
  if (!classes?.every((name) => typeof name === "string") || classes.length === 0) {
    throw new InputError(`${path} does not say its classes: give weights that \`train\` or \`publish\` wrote`);
  }
  const inputShape = numbers("input_shape", 3) as [number, number, number];
  if (inputShape.some((n) => !Number.isInteger(n) || n < 1 || n > 4096)) {
    throw new InputError(`${path} says inputs of ${inputShape.join("x")}; expected whole numbers from 1 to 4096`);
  }
  const [mean, std] = [numbers("mean", inputShape[2]), numbers("std", inputShape[2])];
  return {
    model: metadata.model,
    dataset: metadata.dataset ?? "unknown",
    classes: classes as string[],
    inputShape,
    mean,
    std,
  };
}

function list(text: string | undefined): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
