import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { explainedClasses, sumOfScores } from "./scores.ts";

export interface Saliency {
  /** [batch, height, width], 0 to 1 */
  map: tf.Tensor3D;
  /** the class of each image's map */
  classIndex: number[];
}

/**
 * A saliency map (Simonyan, Vedaldi & Zisserman 2014, "Deep inside convolutional networks", sec. 3.1): how much each
 * pixel's change would change the class's score y_c, before the softmax.
 *
 *   map = max over channels of |∂y_c/∂x|
 *
 * @param images x [batch, height, width, channels], normalised
 * @param asked the class c; what the network says of each image, unless given
 * @throws InputError for a class that there isn't
 */
export function saliency(model: tfl.LayersModel, images: tf.Tensor4D, asked?: number): Saliency {
  let classIndex: number[] = [];
  const map = tf.tidy(() => {
    const network = (x: tf.Tensor) => model.apply(x, { training: false }) as tf.Tensor2D;
    classIndex = explainedClasses(network(images), asked);
    const gradient = tf.grad((x: tf.Tensor) => sumOfScores(network(x), classIndex))(images); // as images
    const size = tf.max(tf.abs(gradient), 3) as tf.Tensor3D; // [batch, height, width]
    return tf.divNoNan(size, tf.max(size, [1, 2], true)) as tf.Tensor3D;
  });
  return { map, classIndex };
}
