import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "@tfjs-zoo/models";
import { loadWeights, readSafetensors, type SafeTensors } from "@tfjs-zoo/models/weights";

/** What a file of weights says of itself, as texts. */
export type Metadata = SafeTensors["metadata"];

/**
 * Reads a file of weights.
 *
 * @param from the file's name, for messages
 * @throws InputError when it is damaged
 */
export function parseWeights(bytes: Uint8Array, from: string): SafeTensors {
  try {
    return readSafetensors(bytes);
  } catch (error) {
    throw new InputError(`${from}: ${(error as Error).message}`);
  }
}

/** @throws InputError when a file does not say which network it is of */
export function saidModel({ model }: Metadata, from: string): string {
  if (model !== undefined) return model;
  throw new InputError(
    `${from} does not say which model it is of: give weights that \`train\`, \`import\` or \`publish\` wrote`,
  );
}

/** @throws InputError when what a file says is no whole number, or none from `least` to `most` */
export function saidNumber(
  metadata: Metadata,
  key: string,
  { least = 1, most }: { least?: number; most: number },
  from: string,
): number {
  const value = Number(metadata[key]);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InputError(
    `${from} says a ${key} of ${metadata[key]?.slice(0, 20)}; expected a whole number from ${least} to ${most}`,
  );
}

/** An image's [height, width, channels] as a file says it. */
export const shapeMetadata = ([height, width, channels]: readonly number[]) => ({
  ...{ height: String(height), width: String(width), channels: String(channels) },
});

/** @throws InputError when a file does not say an image's size */
export function saidImageShape(metadata: Metadata, from: string): [height: number, width: number, channels: number] {
  const size = (key: string) => saidNumber(metadata, key, { most: 4096 }, from);
  return [size("height"), size("width"), size("channels")];
}

/** @throws InputError when what a file says are not the names of `least` classes or more */
export function saidClasses(said: string, least: number, from: string): string[] {
  let classes: unknown;
  try {
    classes = JSON.parse(said);
  } catch {}
  if (Array.isArray(classes) && classes.length >= least && classes.every((name) => typeof name === "string")) {
    return classes;
  }
  throw new InputError(`${from} does not say its classes: give weights that \`train\` or \`publish\` wrote`);
}

/**
 * Puts a file's tensors into a network that was built for them.
 *
 * @throws InputError when they do not fit; the network is disposed then
 */
export function fill(
  model: tfl.LayersModel,
  parsed: SafeTensors,
  from: string,
  dispose: () => void = () => model.dispose(),
): void {
  try {
    loadWeights(model, parsed);
  } catch (error) {
    dispose();
    throw new InputError(`${from}: ${(error as Error).message}`);
  }
}
