import type * as tfl from "@tensorflow/tfjs-layers";
import {
  findDenoiser,
  InputError,
  type NoiseScheduleName,
  noiseSchedules,
  type Prediction,
  predictions,
} from "@tfjs-zoo/models";
import type { SafeTensors } from "@tfjs-zoo/models/weights";
import {
  fill,
  type Metadata,
  parseWeights,
  saidClasses,
  saidImageShape,
  saidModel,
  saidNumber,
  shapeMetadata,
} from "./weights-file.ts";

/** What a file of a network of diffusion says of itself: enough to sample from it. */
export interface DiffusionInfo {
  model: string;
  /** the data set that it was trained on */
  dataset: string;
  /** [height, width, channels] */
  inputShape: readonly [number, number, number];
  /** what it makes, by name; not there where it is told no classes */
  classes?: readonly string[];
  /** how much noise there is at which time, and how many times there are */
  noise: NoiseScheduleName;
  times: number;
  prediction: Prediction;
}

/** The tensors of such a file, and what it says of itself. */
export interface ParsedDiffusion {
  info: DiffusionInfo;
  parsed: SafeTensors;
}

/** What a file says of a network of diffusion, as texts: formats of weights hold nothing else. */
export const diffusionMetadata = ({ inputShape, classes, times, ...names }: DiffusionInfo) => ({
  ...names,
  ...shapeMetadata(inputShape),
  times: String(times),
  ...(classes && { classes: JSON.stringify(classes) }),
});

/** @throws InputError when a file does not say which network it is of, and how its noise goes */
export function diffusionInfo(metadata: Metadata, from: string): DiffusionInfo {
  const { name: model } = findDenoiser(saidModel(metadata, from));
  const word = <W extends string>(key: string, known: readonly W[]): W => {
    const found = known.find((one) => one === metadata[key]);
    if (found !== undefined) return found;
    throw new InputError(`${from} says a ${key} of ${metadata[key]?.slice(0, 20)}; expected ${known.join(" or ")}`);
  };
  return {
    ...{ model, dataset: metadata.dataset ?? "unknown" },
    inputShape: saidImageShape(metadata, from),
    ...(metadata.classes !== undefined && { classes: saidClasses(metadata.classes, 1, from) }),
    noise: word("noise", noiseSchedules),
    times: saidNumber(metadata, "times", { least: 2, most: 10_000 }, from),
    prediction: word("prediction", predictions),
  };
}

/**
 * Reads a file of weights that the zoo wrote.
 *
 * @param from the file's name, for messages
 * @throws InputError when it is damaged or does not say what it is
 */
export function parseDiffusion(bytes: Uint8Array, from: string): ParsedDiffusion {
  const parsed = parseWeights(bytes, from);
  return { info: diffusionInfo(parsed.metadata, from), parsed };
}

/**
 * Builds the network of such a file.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export function diffusionFrom({ info, parsed }: ParsedDiffusion, from: string): tfl.LayersModel {
  const { model: name, inputShape, classes } = info;
  const model = findDenoiser(name).build({ inputShape, classes: classes?.length, seed: null });
  fill(model, parsed, from);
  return model;
}
