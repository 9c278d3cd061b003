import type * as tfl from "@tensorflow/tfjs-layers";
import { closest } from "fastest-levenshtein";
import { InputError } from "./errors.ts";
import { BatchNorm } from "./layers/index.ts";
import { layersInOrder } from "./weights/names.ts";

type Layer = tfl.layers.Layer;

/** The layer that turns features into classes: the last one that has weights. */
export function headOf(model: tfl.LayersModel): Layer {
  return layersWithWeights(model).at(-1) as Layer;
}

/**
 * Keeps layers of a network as they are: a frozen layer's weights have no gradient, and its batch norms use their
 * running statistics in training too and leave them alone. Where all layers up to some depth are frozen, there is no
 * backward pass through them. Dropout goes on.
 *
 * @param parts which: "stem" (what comes before the first block; in a network without blocks, such as VGG, the first
 *   layer and its norm), "all-but-head", or layers' paths, each for all layers under it: "layer1", "layer2.0"
 * @returns the names of the frozen layers that have weights
 * @throws InputError for a path that no layer is under, with the nearest that some are, and where nothing would be left
 *   to train; the network is then as it was
 */
export function freezeLayers(model: tfl.LayersModel, parts: readonly string[]): string[] {
  const layers = layersWithWeights(model);
  const frozen = new Set(parts.flatMap((part) => layersOf(part, layers, model.name)));
  if (layers.every((layer) => frozen.has(layer))) {
    throw new InputError(`freezing ${parts.join(",")} leaves nothing of ${model.name} to train: freeze less`);
  }
  for (const layer of frozen) layer.trainable = false;
  return [...frozen].map(({ name }) => name);
}

function layersOf(part: string, layers: readonly Layer[], model: string): readonly Layer[] {
  if (part === "stem") return stemOf(layers);
  if (part === "all-but-head") return layers.slice(0, -1);
  const under = layers.filter(({ name }) => name === part || name.startsWith(`${part}.`));
  if (under.length > 0) return under;
  const known = ["stem", "all-but-head", ...new Set(layers.flatMap(({ name }) => pathsTo(name)))];
  throw new InputError(`${model} has no layers under "${part}": did you mean "${closest(part, known)}"?`);
}

/**
 * What comes before the first numbered block (`layer1.0.conv1`, `blocks.0.norm1`), or else before the first layer that
 * lies deeper than the first one does (`features.denseblock1.denselayer1.norm1`).
 */
function stemOf(layers: readonly Layer[]): readonly Layer[] {
  const folder = pathsTo(layers[0].name).at(-2);
  const liesDeeper = (name: string) =>
    folder === undefined
      ? name.includes(".")
      : name.startsWith(`${folder}.`) && name.slice(folder.length + 1).includes(".");
  const numbered = layers.findIndex(({ name }) => /\.\d+\./.test(name));
  const firstBlock = numbered > 0 ? numbered : layers.findIndex(({ name }) => liesDeeper(name));
  if (firstBlock > 0) return layers.slice(0, firstBlock);
  return layers.slice(0, layers[1] instanceof BatchNorm ? 2 : 1);
}

/** a.b.c -> a, a.b, a.b.c */
function pathsTo(name: string): string[] {
  const names = name.split(".");
  return names.map((_, i) => names.slice(0, i + 1).join("."));
}

const layersWithWeights = (model: tfl.LayersModel): Layer[] =>
  layersInOrder(model).filter(({ weights }) => weights.length > 0);
