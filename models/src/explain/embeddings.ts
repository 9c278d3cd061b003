import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { Dense } from "../layers/index.ts";
import { compute, inputValues } from "./graph-values.ts";
import { computingLayers } from "./layers.ts";

/**
 * What a classifier's last dense layer reads, as the graph names it.
 *
 * @throws InputError for a network without a dense layer
 */
export function embeddedTensor(model: tfl.LayersModel): tfl.SymbolicTensor {
  const last = computingLayers(model).findLast((layer) => layer instanceof Dense);
  if (last === undefined) throw new InputError(`${model.name} has no dense layer, so no features before it`);
  return last.inboundNodes[0].inputTensors[0];
}

/**
 * The features that a classifier's last dense layer reads: images of a class lie together there, whatever their pixels
 * (Krizhevsky et al. 2012, sec. 6.1, compare images by them).
 *
 * @param images [batch, height, width, channels], normalised
 * @returns [batch, features]
 * @throws InputError as `embeddedTensor` does
 */
export function embeddings(model: tfl.LayersModel, images: tf.Tensor): tf.Tensor2D {
  const features = embeddedTensor(model);
  return tf.tidy(() => compute(features, inputValues(model, images)) as tf.Tensor2D);
}

/**
 * The same features, and what the network makes of them, in one pass.
 *
 * @param images [batch, height, width, channels], normalised
 * @returns features [batch, features] and logits [batch, classes]
 * @throws InputError as `embeddedTensor` does
 */
export function embeddingsAndLogits(
  model: tfl.LayersModel,
  images: tf.Tensor,
): { features: tf.Tensor2D; logits: tf.Tensor2D } {
  const embedded = embeddedTensor(model);
  return tf.tidy(() => {
    const values = inputValues(model, images);
    const features = compute(embedded, values) as tf.Tensor2D;
    return { features, logits: compute(model.outputs[0], values) as tf.Tensor2D };
  });
}
