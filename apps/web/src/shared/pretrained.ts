import type * as tfl from "@tensorflow/tfjs-layers";
import { foldBatchNorm, InputError } from "@tfjs-zoo/models";
import { type Card, verifyWeights } from "@tfjs-zoo/models/weights";
import { type ClassifierInfo, classifierFrom } from "@tfjs-zoo/training";
import { siteUrl } from "./dom.ts";

/** Weights that come with the site. */
export interface Pretrained {
  /** NAME.TAG */
  name: string;
  card: Card;
  /** below the site's root */
  file: string;
}

/** A network that is ready for pictures. */
export interface Classifier {
  name: string;
  info: ClassifierInfo;
  /** batch norms and ReLUs folded into the convolutions */
  model: tfl.LayersModel;
}

/**
 * Fetches a file of the site.
 *
 * @param onShare is told how much of it is here, 0 to 1
 * @throws InputError when it can't be had
 */
export async function fetchFile(file: string, bytes: number, onShare = (_: number): void => {}): Promise<Uint8Array> {
  const url = siteUrl(file);
  if (!navigator.onLine && !(await globalThis.caches?.match(url, { ignoreVary: true }))) {
    throw new InputError(
      `${file} is not kept on this device yet, and this device is offline: try again with a network`,
    );
  }
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok || response.body === null) {
    throw new InputError(
      `${file} can't be fetched (the server says ${response?.status ?? "nothing"}): try again later`,
    );
  }
  const whole = new Uint8Array(bytes);
  const reader = response.body.getReader();
  let at = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (at + part.value.length > bytes) throw new InputError(`${file} is longer than the ${bytes} bytes expected`);
    whole.set(part.value, at);
    at += part.value.length;
    onShare(at / bytes);
  }
  return whole.subarray(0, at);
}

/**
 * Fetches weights, makes sure that they are the ones of their card, and builds their network.
 *
 * @throws InputError when they can't be had, or are not what their card says
 */
export async function openPretrained(entry: Pretrained, onShare?: (share: number) => void): Promise<Classifier> {
  const bytes = await fetchFile(entry.file, entry.card.bytes, onShare);
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
