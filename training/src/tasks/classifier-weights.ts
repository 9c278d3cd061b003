import type * as tfl from "@tensorflow/tfjs-layers";
import { createModel, findClassifier, InputError } from "@tfjs-zoo/models";
import { type SafeTensors, saveWeights, type WeightDtype } from "@tfjs-zoo/models/weights";
import { fill, type Metadata, parseWeights, saidModel } from "./weights-file.ts";

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

/** A classifier's weights and what they are for, as the bytes of a safetensors file. */
export function classifierBytes(
  model: tfl.LayersModel,
  info: ClassifierInfo,
  dtype: WeightDtype = "F32",
): Promise<Uint8Array> {
  return saveWeights(model, { dtype, metadata: classifierMetadata(info) });
}

/** The tensors of a classifier's file, which may not fit its network, and what the file says of itself. */
export interface ParsedClassifier {
  info: ClassifierInfo;
  parsed: SafeTensors;
}

/**
 * Reads a file of weights that the zoo wrote.
 *
 * @param from the file's name, for messages
 * @throws InputError when the file is damaged or does not say what it is
 */
export function parseClassifier(bytes: Uint8Array, from: string): ParsedClassifier {
  const parsed = parseWeights(bytes, from);
  return { info: classifierInfo(parsed.metadata, from), parsed };
}

/**
 * Builds the network of a classifier's file.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export function networkOf({ info, parsed }: ParsedClassifier, from: string): tfl.LayersModel {
  const { model: name, classes, inputShape } = info;
  const model = createModel(name, { classes: classes.length, inputShape, seed: null });
  fill(model, parsed, from);
  return model;
}

/**
 * Reads a file of weights that the zoo wrote, and builds its network.
 *
 * @throws InputError as `parseClassifier` and `networkOf` do
 */
export function classifierFrom(bytes: Uint8Array, from: string): { model: tfl.LayersModel; info: ClassifierInfo } {
  const file = parseClassifier(bytes, from);
  return { model: networkOf(file, from), info: file.info };
}

/** @throws InputError when a file does not say which classifier it is of, and for what */
export function classifierInfo(metadata: Metadata, from: string): ClassifierInfo {
  const numbers = (key: string, length?: number): number[] => {
    const value = list(metadata[key]);
    if (value?.every(Number.isFinite) && (length === undefined || value.length === length)) return value as number[];
    throw new InputError(`${from} does not say its ${key}: give weights that \`train\` or \`publish\` wrote`);
  };
  const model = saidModel(metadata, from);
  findClassifier(model);
  const classes = list(metadata.classes);
  if (!classes?.every((name) => typeof name === "string") || classes.length === 0) {
    throw new InputError(`${from} does not say its classes: give weights that \`train\` or \`publish\` wrote`);
  }
  const inputShape = numbers("input_shape", 3) as [number, number, number];
  if (inputShape.some((n) => !Number.isInteger(n) || n < 1 || n > 4096)) {
    throw new InputError(`${from} says inputs of ${inputShape.join("x")}; expected whole numbers from 1 to 4096`);
  }
  const [mean, std] = [numbers("mean", inputShape[2]), numbers("std", inputShape[2])];
  return {
    model,
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
