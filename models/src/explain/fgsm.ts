import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { softmaxCrossEntropy } from "../ops/softmax-cross-entropy.ts";
import { inPixelRange, type Normalisation } from "./pixel-range.ts";

/**
 * The fast gradient sign method (Goodfellow, Shlens & Szegedy 2015, "Explaining and harnessing adversarial examples",
 * sec. 4): the step of at most ε a pixel that raises the loss J most, were it linear.
 *
 *   x' = x + ε sign(∂J/∂x)
 *
 * @param images x [batch, height, width, channels], normalised
 * @param labels int32 [batch]
 * @param epsilon ε, of pixels in 0..1
 * @returns x' [batch, height, width, channels], normalised; no pixel leaves 0..1
 */
export function fgsm(
  model: tfl.LayersModel,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  epsilon: number,
  normalisation: Normalisation,
): tf.Tensor4D {
  return tf.tidy(() => moved(images, lossGradientSign(model, images, labels), epsilon, normalisation));
}

/**
 * How many images a network still recognises when all are moved by ε, for several ε; 0 is the images as they are.
 *
 * @param images [batch, height, width, channels], normalised
 * @param labels int32 [batch]
 */
export async function correctUnderAttack(
  model: tfl.LayersModel,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  epsilons: readonly number[],
  normalisation: Normalisation,
): Promise<number[]> {
  const counts = tf.tidy(() => {
    const sign = lossGradientSign(model, images, labels);
    return tf.stack(
      epsilons.map((epsilon) =>
        tf.tidy(() => {
          const logits = model.apply(moved(images, sign, epsilon, normalisation), { training: false }) as tf.Tensor;
          return tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), "float32"));
        }),
      ),
    ); // [epsilons]
  });
  const correct = Array.from(await counts.data());
  counts.dispose();
  return correct;
}

/** sign(∂J/∂x), J the cross-entropy summed over the batch: [batch, height, width, channels] */
function lossGradientSign(model: tfl.LayersModel, images: tf.Tensor4D, labels: tf.Tensor1D): tf.Tensor4D {
  const loss = (x: tf.Tensor) => {
    const logits = model.apply(x, { training: false }) as tf.Tensor2D;
    return tf.mul(softmaxCrossEntropy({ logits, labels }), images.shape[0]) as tf.Scalar;
  };
  return tf.tidy(() => tf.sign(tf.grad(loss)(images)) as tf.Tensor4D);
}

function moved(images: tf.Tensor4D, sign: tf.Tensor4D, epsilon: number, normalisation: Normalisation): tf.Tensor4D {
  const step = normalisation.std.map((deviation) => epsilon / deviation);
  return inPixelRange(tf.add(images, tf.mul(sign, step)), normalisation);
}
