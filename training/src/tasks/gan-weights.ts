import { findGan, type Gan } from "@tfjs-zoo/models";
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

/** What a file of a GAN's generator says of itself: enough to make images. */
export interface GanInfo {
  model: string;
  /** the data set that it was trained on */
  dataset: string;
  /** [height, width, channels] */
  inputShape: readonly [number, number, number];
  /** numbers of a z */
  latent: number;
  /** what it makes, by name; not there where it is told no classes */
  classes?: readonly string[];
}

/** The tensors of such a file, and what it says of itself. */
export interface ParsedGan {
  info: GanInfo;
  parsed: SafeTensors;
}

/** What a file says of a GAN, as texts: formats of weights hold nothing else. */
export const ganMetadata = ({ inputShape, latent, classes, ...names }: GanInfo) => ({
  ...names,
  ...shapeMetadata(inputShape),
  latent: String(latent),
  ...(classes && { classes: JSON.stringify(classes) }),
});

/** @throws InputError when a file does not say which GAN it is of, and for what images */
export function ganInfo(metadata: Metadata, from: string): GanInfo {
  const { name: model } = findGan(saidModel(metadata, from));
  return {
    ...{ model, dataset: metadata.dataset ?? "unknown" },
    inputShape: saidImageShape(metadata, from),
    latent: saidNumber(metadata, "latent", { most: 4096 }, from),
    ...(metadata.classes !== undefined && { classes: saidClasses(metadata.classes, 1, from) }),
  };
}

/**
 * Reads a file of weights that the zoo wrote.
 *
 * @param from the file's name, for messages
 * @throws InputError when it is damaged or does not say what it is
 */
export function parseGan(bytes: Uint8Array, from: string): ParsedGan {
  const parsed = parseWeights(bytes, from);
  return { info: ganInfo(parsed.metadata, from), parsed };
}

/**
 * Builds the generator of such a file; of the discriminator there is nothing in it.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export function generatorFrom(
  { info, parsed }: ParsedGan,
  from: string,
): Pick<Gan, "generator" | "latent" | "classes"> {
  const { model: name, inputShape: imageShape, latent, classes } = info;
  const gan = findGan(name).build({ imageShape, latent, classes: classes?.length, seed: null });
  gan.discriminator.dispose();
  fill(gan.generator, parsed, from);
  return gan;
}
