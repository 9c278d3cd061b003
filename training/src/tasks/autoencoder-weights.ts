import { findAutoencoder, InputError, type Likelihood, type Vae } from "@tfjs-zoo/models";
import type { SafeTensors } from "@tfjs-zoo/models/weights";
import {
  fill,
  type Metadata,
  parseWeights,
  saidImageShape,
  saidModel,
  saidNumber,
  shapeMetadata,
} from "./weights-file.ts";

/** What a file of an autoencoder's weights says of itself. */
export interface AutoencoderInfo {
  model: string;
  /** the data set that it was trained on */
  dataset: string;
  /** [height, width, channels] */
  inputShape: readonly [number, number, number];
  /** numbers of a z */
  latent: number;
  likelihood: Likelihood;
  /** whether it learned from images of 0 and 1, not from grey ones */
  binary: boolean;
}

/** The tensors of an autoencoder's file, and what it says of itself. */
export interface ParsedAutoencoder {
  info: AutoencoderInfo;
  parsed: SafeTensors;
}

/** What a file says of an autoencoder, as texts: formats of weights hold nothing else. */
export const autoencoderMetadata = ({ inputShape, latent, binary, ...names }: AutoencoderInfo) => ({
  ...names,
  ...shapeMetadata(inputShape),
  ...{ latent: String(latent), binary: String(binary) },
});

/** @throws InputError when a file does not say which autoencoder it is of, and for what images */
export function autoencoderInfo(metadata: Metadata, from: string): AutoencoderInfo {
  const { name: model } = findAutoencoder(saidModel(metadata, from));
  const { likelihood } = metadata;
  if (likelihood !== "bernoulli" && likelihood !== "gaussian") {
    throw new InputError(`${from} says a likelihood of ${likelihood?.slice(0, 20)}; expected bernoulli or gaussian`);
  }
  return {
    ...{ model, dataset: metadata.dataset ?? "unknown" },
    inputShape: saidImageShape(metadata, from),
    latent: saidNumber(metadata, "latent", { most: 4096 }, from),
    ...{ likelihood, binary: metadata.binary === "true" },
  };
}

/**
 * Reads a file of weights that the zoo wrote.
 *
 * @param from the file's name, for messages
 * @throws InputError when it is damaged or does not say what it is
 */
export function parseAutoencoder(bytes: Uint8Array, from: string): ParsedAutoencoder {
  const parsed = parseWeights(bytes, from);
  return { info: autoencoderInfo(parsed.metadata, from), parsed };
}

/**
 * Builds the network of an autoencoder's file.
 *
 * @throws InputError when its tensors do not fit the network that it names
 */
export function autoencoderFrom({ info, parsed }: ParsedAutoencoder, from: string): Vae {
  const { model, inputShape, latent, likelihood } = info;
  const vae = findAutoencoder(model).build({ inputShape, latent, likelihood, seed: null });
  fill(vae.train, parsed, from, () => vae.dispose());
  return vae;
}
