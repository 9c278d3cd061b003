import { type ImageDataset, type ImageSet, inMemoryImages } from "@tfjs-zoo/datasets";
import { fetchFile } from "../shared/fetch-file.ts";

/** One part of a data set as the site has it: a file of all labels, one byte each, and then all pixels. */
export interface PackedImages {
  /** below the site's root; for a worker the whole address */
  file: string;
  count: number;
}

/** A data set as the site has it; the list of them is sets.json. */
export interface PackedSet {
  name: string;
  classes: readonly string[];
  /** [height, width, channels] */
  shape: readonly [height: number, width: number, channels: number];
  /** per channel, of pixels scaled to 0..1 */
  mean: readonly number[];
  std: readonly number[];
  train: PackedImages;
  test: PackedImages;
}

/**
 * Fetches a data set.
 *
 * @param onShare is told how much of it is here, 0 to 1
 * @throws InputError when it can't be had
 */
export async function fetchSet(set: PackedSet, onShare: (share: number) => void): Promise<ImageDataset> {
  const size = set.shape[0] * set.shape[1] * set.shape[2];
  const all = set.train.count + set.test.count;
  let before = 0;
  const images = async ({ file, count }: PackedImages): Promise<ImageSet> => {
    const bytes = await fetchFile(file, count * (1 + size), (share) => onShare((before + share * count) / all));
    before += count;
    return inMemoryImages(bytes.subarray(count), Uint16Array.from(bytes.subarray(0, count)), set.shape);
  };
  return { ...set, train: await images(set.train), test: await images(set.test) };
}

/** The bytes of a file of images. */
export async function packImages(set: ImageSet, count: number): Promise<Uint8Array> {
  const size = set.shape[0] * set.shape[1] * set.shape[2];
  const bytes = new Uint8Array(count * (1 + size));
  bytes.set(set.labels.subarray(0, count));
  await set.read(
    Int32Array.from({ length: count }, (_, i) => i),
    bytes.subarray(count),
  );
  return bytes;
}
