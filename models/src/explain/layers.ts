import type * as tfl from "@tensorflow/tfjs-layers";
import { closest } from "fastest-levenshtein";
import { InputError } from "../errors.ts";
import { AvgPool2D, MaxPool2D, ReLU } from "../layers/index.ts";
import { layersInOrder } from "../weights/names.ts";

type Layer = tfl.layers.Layer;

/** What a layer of a model computes, as the graph names it. */
export function outputOf(layer: Layer): tfl.SymbolicTensor {
  return layer.inboundNodes[0].outputTensors[0];
}

/** The layers of a model without its inputs, each after all that it depends on. */
export function computingLayers(model: tfl.LayersModel): Layer[] {
  return layersInOrder(model).filter((layer) => layer.getClassName() !== "InputLayer");
}

/** Whether a layer's output is a map over places, [batch, height, width, channels] with more than one place. */
export function isSpatial(layer: Layer): boolean {
  const [, height, width, channels] = outputOf(layer).shape;
  return channels !== undefined && (height as number) * (width as number) > 1;
}

/** Whether a layer does nothing but pool. */
const isPool = (layer: Layer): boolean => layer instanceof MaxPool2D || layer instanceof AvgPool2D;

/** Whether the last thing that a layer does is max(x, 0). */
export function endsInReLU(layer: Layer): boolean {
  return layer instanceof ReLU || (layer as { activation?: unknown }).activation === "relu";
}

/**
 * Layers that show how a network's maps change from its input to its end: the first after a ReLU, and the last of each
 * size before it is pooled.
 */
export function tellingLayers(model: tfl.LayersModel): string[] {
  const layers = computingLayers(model).filter((layer) => isSpatial(layer) && !isPool(layer));
  const sizeOf = (layer: Layer) => outputOf(layer).shape.slice(1, 3).join();
  const lastOfSize = layers.filter((layer, i) => i + 1 === layers.length || sizeOf(layer) !== sizeOf(layers[i + 1]));
  const first = layers.find(endsInReLU) ?? layers[0];
  return layers.filter((layer) => layer === first || lastOfSize.includes(layer)).map(({ name }) => name);
}

/** @throws InputError for an unknown name, with the nearest known one */
export function findLayer(model: tfl.LayersModel, name: string): Layer {
  const layers = computingLayers(model);
  const layer = layers.find((candidate) => candidate.name === name);
  if (layer !== undefined) return layer;
  const names = layers.map((candidate) => candidate.name);
  const known = names.length > 12 ? `${names.slice(0, 12).join(", ")} … ${names.at(-1)}` : names.join(", ");
  throw new InputError(
    `${model.name} has no layer "${name}": did you mean "${closest(name, names)}"? (layers: ${known})`,
  );
}

/**
 * The last layer whose output is a map over places, before it is pooled or flattened: where a network's features are
 * most of classes and still say where.
 *
 * @throws InputError for a network without one, such as a multilayer perceptron
 */
export function lastSpatialLayer(model: tfl.LayersModel): string {
  const layer = computingLayers(model).findLast((candidate) => isSpatial(candidate) && !isPool(candidate));
  if (layer !== undefined) return layer.name;
  throw new InputError(
    `${model.name} has no layer whose output is a map over places: take a network with convolutions (lenet5, resnet20, …)`,
  );
}
