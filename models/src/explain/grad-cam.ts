import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { compute, inputValues, tailAfter } from "./graph-values.ts";
import { findLayer, isSpatial, lastSpatialLayer, outputOf } from "./layers.ts";
import { explainedClasses, sumOfScores } from "./scores.ts";

export interface GradCamOptions {
  /** whose maps are weighed; the last that still says where, unless given */
  layer?: string;
  /** the class to look for; what the network says of each image, unless given */
  classIndex?: number;
}

export interface GradCam {
  /** [batch, height, width] of the images, 0 to 1: where what speaks for the class is. All 0 where nothing does. */
  map: tf.Tensor3D;
  /** the class of each image's map */
  classIndex: number[];
  layer: string;
}

/** What a class's score depends on in one layer. */
export interface LayerGradient {
  /** of the layer, A [batch, height, width, channels] */
  activation: tf.Tensor4D;
  /** ∂y_c/∂A, y_c the class's score before the softmax: [batch, height, width, channels] */
  gradient: tf.Tensor4D;
  classIndex: number[];
}

/**
 * Grad-CAM (Selvaraju et al. 2017, "Grad-CAM: visual explanations from deep networks via gradient-based localization").
 *
 *   α_k = mean over places (i, j) of ∂y_c/∂A_ijk        (eq. 1)
 *   map = max(Σ_k α_k A_k, 0)                           (eq. 2)
 *
 * The map has the size of the layer; it is made as large as the images and divided by its largest value.
 *
 * @param model a classifier whose outputs are logits; batch norms may be folded
 * @param images [batch, height, width, channels], normalised as the model's were
 * @throws InputError for a layer that there isn't, or one whose output is no map over places; for a class that there isn't
 */
export function gradCam(model: tfl.LayersModel, images: tf.Tensor4D, options: GradCamOptions = {}): GradCam {
  const layer = options.layer ?? lastSpatialLayer(model);
  let classes: number[] = [];
  const map = tf.tidy(() => {
    const { activation, gradient, classIndex } = layerGradient(model, images, layer, options.classIndex);
    classes = classIndex;
    const alpha = tf.mean(gradient, [1, 2], true); // [batch, 1, 1, channels]
    const coarse = tf.relu(tf.sum(tf.mul(activation, alpha), 3, true)); // [batch, layerHeight, layerWidth, 1]
    const [, height, width] = images.shape;
    const fine = tf.image.resizeBilinear(coarse as tf.Tensor4D, [height, width], false, true); // [batch, height, width, 1]
    const largest = tf.max(fine, [1, 2, 3], true); // [batch, 1, 1, 1]
    return tf.squeeze<tf.Tensor3D>(tf.divNoNan(fine, largest), [3]); // [batch, height, width]
  });
  return { map, classIndex: classes, layer };
}

/** The output of a layer, and the gradient of each image's score with respect to it. The tensors are the caller's. */
export function layerGradient(
  model: tfl.LayersModel,
  images: tf.Tensor4D,
  layerName: string,
  asked?: number,
): LayerGradient {
  const layer = findLayer(model, layerName);
  if (!isSpatial(layer)) {
    const shape = outputOf(layer).shape.slice(1).join(", ");
    throw new InputError(
      `the output of ${layerName} is no map over places but [batch, ${shape}]: take one before it, such as "${lastSpatialLayer(model)}"`,
    );
  }
  let classIndex: number[] = [];
  const [activation, gradient] = tf.tidy(() => {
    const reached = compute(outputOf(layer), inputValues(model, images)) as tf.Tensor4D;
    const tail = tailAfter(model, layer, images);
    classIndex = explainedClasses(tail(reached), asked);
    return [reached, tf.grad((a) => sumOfScores(tail(a), classIndex))(reached) as tf.Tensor4D];
  });
  return { activation, gradient, classIndex };
}
