import type * as tfl from "@tensorflow/tfjs-layers";
import { foldBatchNorm } from "@tfjs-zoo/models";
import { type Card, verifyWeights } from "@tfjs-zoo/models/weights";
import { type ClassifierInfo, classifierFrom } from "@tfjs-zoo/training";
import { siteUrl } from "./dom.ts";
import { fetchFile } from "./fetch-file.ts";

/** Weights that come with the site. */
export interface Pretrained {
  /** NAME.TAG */
  name: string;
  card: Card;
  /** below the site's root */
  file: string;
  /** of a network of text: below the site's root, and its length */
  tokenizer?: { file: string; bytes: number };
  /** of a translator: from which language into which, "de-en" */
  direction?: string;
}

/** A network that is ready for pictures. */
export interface Classifier {
  name: string;
  info: ClassifierInfo;
  /** batch norms and ReLUs folded into the convolutions */
  model: tfl.LayersModel;
}

/**
 * Fetches weights, makes sure that they are the ones of their card, and builds their network.
 *
 * @throws InputError when they can't be had, or are not what their card says
 */
export async function openPretrained(entry: Pretrained, onShare?: (share: number) => void): Promise<Classifier> {
  const bytes = await fetchFile(siteUrl(entry.file), entry.card.bytes, onShare);
  await verifyWeights(entry.card, bytes);
  return classifierOf(bytes, entry.name);
}

/**
 * Builds the network of a file of weights.
 *
 * @throws InputError when the file is not the zoo's, is damaged or does not fit
 */
export function classifierOf(bytes: Uint8Array, name: string): Classifier {
  const { model: trained, info } = classifierFrom(bytes, name);
  const model = foldBatchNorm(trained);
  trained.dispose();
  return { name, info, model };
}
