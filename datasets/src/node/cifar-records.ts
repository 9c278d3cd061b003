import { InputError } from "../errors.ts";
import { inMemoryImages } from "../in-memory.ts";
import type { ImageSet } from "../types.ts";

/** [height, width, channels] */
export const CIFAR_SHAPE = [32, 32, 3] as const;
/** Bytes of one colour of an image. */
export const CIFAR_PLANE = 32 * 32;

/** What a record of CIFAR's binary version begins with, before the red, green and blue plane. */
export interface RecordLayout {
  /** bytes of labels */
  labels: number;
  /** which of them is the label */
  at: number;
  classes: number;
}

/**
 * Planar records to interleaved pixels. Each part is let go as soon as it is copied.
 *
 * @param parts of the records, one after the other
 * @param name of the file, for messages
 * @throws InputError where a part ends within a record, or a label is none of the classes
 */
export function imagesOfRecords(
  parts: (Uint8Array | undefined)[],
  { labels: before, at: place, classes }: RecordLayout,
  name: string,
): ImageSet {
  const record = before + 3 * CIFAR_PLANE;
  const bytes = parts.reduce((sum, part) => sum + (part as Uint8Array).length, 0);
  const count = bytes / record;
  if (!Number.isInteger(count)) {
    throw new InputError(`${name} has ${bytes} bytes, no whole number of records of ${record}: fetch it again`);
  }
  const pixels = new Uint8Array(count * 3 * CIFAR_PLANE);
  const labels = new Uint16Array(count);
  let image = 0;
  for (const [i, part] of parts.entries()) {
    const records = part as Uint8Array;
    for (let at = 0; at < records.length; at += record, image++) {
      labels[image] = records[at + place];
      if (labels[image] >= classes) {
        throw new InputError(`${name} gives image ${image} the label ${labels[image]} of ${classes} classes`);
      }
      let to = image * 3 * CIFAR_PLANE;
      for (let red = at + before; red < at + before + CIFAR_PLANE; red++) {
        pixels[to++] = records[red];
        pixels[to++] = records[red + CIFAR_PLANE];
        pixels[to++] = records[red + 2 * CIFAR_PLANE];
      }
    }
    parts[i] = undefined;
  }
  return inMemoryImages(pixels, labels, CIFAR_SHAPE);
}
