import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { Conv2D, Dense, PatchEmbedding } from "../layers/index.ts";
import { stateDict } from "../weights/names.ts";
import { computingLayers } from "./layers.ts";

export interface Filters {
  /** [filters, height, width, 3], 0 to 1; 0.5 is a weight of 0, and each filter has its own scale */
  images: tf.Tensor4D;
  layer: string;
}

/**
 * The layer whose weights are a network's filters: the first that has weights.
 *
 * @throws InputError unless the network takes images of 1 or 3 channels and begins with a convolution, a patch embedding
 *   or a dense layer
 */
export function filterLayer(model: tfl.LayersModel): Conv2D | PatchEmbedding | Dense {
  const channels = model.inputs[0].shape[3];
  if (channels !== 1 && channels !== 3) {
    throw new InputError(`${model.name} takes images of ${channels} channels; filters of 1 or 3 can be shown`);
  }
  const first = computingLayers(model).find((layer) => layer.weights.length > 0);
  if (first instanceof Conv2D || first instanceof PatchEmbedding || first instanceof Dense) return first;
  throw new InputError(
    `${model.name} begins with no convolution, patch embedding or dense layer: it has no filters to show`,
  );
}

/**
 * The filters of the first layer as pictures (Krizhevsky et al. 2012, fig. 3): what each of them answers to most. A patch
 * embedding is a convolution too, whose stride is its filters' side (Dosovitskiy et al. 2021, fig. 7, show its principal
 * components). For a multilayer perceptron the weights of a unit of its first dense layer, laid out as its image is.
 *
 * @throws InputError as `filterLayer` does
 */
export function filters(model: tfl.LayersModel): Filters {
  const [, height, width, channels] = model.inputs[0].shape as number[];
  const first = filterLayer(model);
  const name = `${first.name}.weight`;
  const weight = stateDict(model).find((entry) => entry.name === name)?.variable as tfl.LayerVariable;
  const images = tf.tidy(() => {
    const value = weight.read(); // [height, width, channels, filters] or [height · width · channels, units]
    const units = value.shape.at(-1) as number;
    const shape = first instanceof Dense ? [height, width, channels, units] : value.shape;
    const each = tf.transpose(tf.reshape(value, shape), [3, 0, 1, 2]); // [filters, height, width, channels]
    const largest = tf.max(tf.abs(each), [1, 2, 3], true); // [filters, 1, 1, 1]
    const scaled = tf.add(tf.div(tf.divNoNan(each, largest), 2), 0.5);
    return (channels === 3 ? scaled : tf.tile(scaled, [1, 1, 1, 3])) as tf.Tensor4D; // [filters, height, width, 3]
  });
  return { images, layer: first.name };
}
