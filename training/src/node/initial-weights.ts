import type * as tfl from "@tensorflow/tfjs-layers";
import { headOf, InputError } from "@tfjs-zoo/models";
import { loadWeights, stateDict } from "@tfjs-zoo/models/weights";
import type { ClassifierInfo } from "../tasks/classifier-weights.ts";
import type { ClassifierFile } from "./classifier-file.ts";
import type { NamedWeights } from "./weights-file.ts";

/** The weights that a run began with, as its config.json has them. */
export interface InitialWeights extends NamedWeights {
  /** what images are normalised by, per channel of pixels scaled to 0..1 */
  mean: readonly number[];
  std: readonly number[];
  /** [height, width, channels] */
  inputShape: ClassifierInfo["inputShape"];
}

/** What a network took from a file, and what it did not. */
export interface TakenWeights {
  name: string;
  /** how many tensors are the file's */
  tensors: number;
  /** the head's layer, where it is a fresh one */
  freshHead?: string;
  /** how many classes the file's head tells apart */
  itsClasses: number;
}

/**
 * Puts a file's weights into a network. Where the file's classes are others than the network's, its head stays fresh;
 * all else must fit.
 *
 * @param classes of the network, by name
 * @throws InputError when the file is of another network
 */
export function takeWeights(
  model: tfl.LayersModel,
  { path, info, parsed }: ClassifierFile,
  classes: readonly string[],
  name = path,
): TakenWeights {
  const head = headOf(model).name;
  const fresh = info.classes.join("\n") !== classes.join("\n");
  const isHeads = (tensor: string) => tensor.startsWith(`${head}.`);
  const tensors = new Map([...parsed.tensors].filter(([tensor]) => !(fresh && isHeads(tensor))));
  const needed = stateDict(model).map((entry) => entry.name);
  const missing = needed.filter((tensor) => !tensors.has(tensor) && !(fresh && isHeads(tensor)));
  try {
    const { extra } = loadWeights(model, { ...parsed, tensors }, { strict: !fresh });
    const wrong = [...missing, ...extra];
    if (wrong.length > 0) {
      throw new InputError(`all but its head ${head} must be ${model.name}'s, and ${wrong[0]} is not in both`);
    }
  } catch (error) {
    throw new InputError(`${name}: ${(error as Error).message}`);
  }
  return {
    name,
    tensors: needed.length - (fresh ? needed.filter(isHeads).length : 0),
    itsClasses: info.classes.length,
    ...(fresh && { freshHead: head }),
  };
}
