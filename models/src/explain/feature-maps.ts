import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { compute, inputValues } from "./graph-values.ts";
import { computingLayers, findLayer, outputOf } from "./layers.ts";

/**
 * What layers of a network make of images, in inference (Zeiler & Fergus 2014, sec. 2, call a channel of it a feature map).
 *
 * @param images [batch, height, width, channels], normalised
 * @param names of the layers; all of them unless given
 * @returns by layer, in the network's order: [batch, height, width, channels], or [batch, units]. The tensors are the
 *   caller's to dispose.
 * @throws InputError for an unknown layer, with the nearest
 */
export function featureMaps(model: tfl.LayersModel, images: tf.Tensor, names?: readonly string[]): tf.NamedTensorMap {
  const layers = names?.map((name) => findLayer(model, name)) ?? computingLayers(model);
  return tf.tidy(() => {
    const values = inputValues(model, images);
    return Object.fromEntries(layers.map((layer) => [layer.name, compute(outputOf(layer), values)]));
  });
}

/**
 * An image's maps as they are shown: what a ReLU lets through, each map on its own scale.
 *
 * @param map of one image, [1, height, width, channels]
 * @returns [channels, height, width], 0 to 1; a map without anything above 0 is 0 everywhere
 */
export function shownMaps(map: tf.Tensor4D): tf.Tensor3D {
  return tf.tidy(() => {
    const each = tf.transpose(tf.relu(tf.squeeze<tf.Tensor3D>(map, [0])), [2, 0, 1]); // [channels, height, width]
    return tf.divNoNan(each, tf.max(each, [1, 2], true));
  });
}
