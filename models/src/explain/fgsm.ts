import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { inPixelRange, type Normalisation } from "./pixel-range.ts";

/** Taken off a logit so that it counts for nothing. */
const NEVER = 1e6;

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

/**
 * sign(∂J/∂x), J the cross-entropy of each image with its label y: [batch, height, width, channels].
 *
 * Where a network is sure, p_y rounds to 1 and J's gradient loses what matters. That of M = log Σ_{k ≠ y} exp z_k − z_y
 * is the same but for a factor of 1 − p_y, which no sign depends on.
 */
function lossGradientSign(model: tfl.LayersModel, images: tf.Tensor4D, labels: tf.Tensor1D): tf.Tensor4D {
  return tf.tidy(() => {
    const classes = model.outputs[0].shape[1] as number;
    const own = tf.cast(tf.oneHot(labels, classes), "float32"); // [batch, classes]
    const margin = (x: tf.Tensor): tf.Scalar => {
      const logits = model.apply(x, { training: false }) as tf.Tensor2D; // [batch, classes]
      const others = tf.logSumExp(tf.sub(logits, tf.mul(own, NEVER)), 1); // [batch]
      return tf.sub(tf.sum(others), tf.sum(tf.mul(logits, own)));
    };
    return tf.sign(tf.grad(margin)(images)) as tf.Tensor4D;
  });
}

function moved(images: tf.Tensor4D, sign: tf.Tensor4D, epsilon: number, normalisation: Normalisation): tf.Tensor4D {
  const step = normalisation.std.map((deviation) => epsilon / deviation);
  return inPixelRange(tf.add(images, tf.mul(sign, step)), normalisation);
}
