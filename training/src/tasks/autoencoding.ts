import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "@tfjs-zoo/datasets";
import { normalTensor, ops, randomStream, uniformTensor, type Vae } from "@tfjs-zoo/models";
import { events } from "../loop/events.ts";
import type { Scalars, Task } from "./task.ts";

/** noise ε [batch, K, d], or [batch, d] for one draw, and what the KL divergence counts for */
type Inputs = { images: tf.Tensor4D; noise: tf.Tensor; klWeight: number };

/** How a variational autoencoder learns. */
export interface AutoencodingOptions {
  /** [height, width, channels] */
  shape: readonly [number, number, number];
  /** β: what the KL divergence counts for (Higgins et al. 2017, "beta-VAE") */
  beta?: number;
  /** Steps over which β rises from 0 (Bowman et al. 2016, sec. 3.1). */
  klWarmup?: number;
  /** K: draws of each z; with several the loss is the importance-weighted bound (Burda et al. 2016) */
  draws?: number;
  /** In every step each pixel becomes 0 or 1, 1 as often as it is bright. */
  binarise?: boolean;
}

/** Images into a small space and back, by the evidence lower bound; pixels from 0 to 1. */
export function autoencoding(
  vae: Vae,
  { shape, beta = 1, klWarmup = 0, draws = 1, binarise = false }: AutoencodingOptions,
): Task<Batch, Inputs> {
  let [seed, step, uploads] = [0, 0, 0];
  return {
    weights: vae.train.weights,
    size: (batch) => batch.size,

    upload({ images: pixels, size }) {
      const at = uploads++;
      const grey = tf.tensor4d(pixels, [size, ...shape]); // [batch, height, width, channels]
      return {
        images: binarise ? binarised(grey, randomStream(seed, "binarise", step, at)) : grey,
        noise: normalTensor(
          draws > 1 ? [size, draws, vae.latent] : [size, vae.latent],
          randomStream(seed, "latent", step, at),
        ),
        klWeight: beta * (klWarmup > 0 ? Math.min(1, (step + 1) / klWarmup) : 1),
      };
    },

    seed(newSeed, newStep) {
      [seed, step, uploads] = [newSeed, newStep, 0];
    },

    updates: [
      {
        name: "VAE",
        variables: vae.train.trainableWeights,
        loss({ images, noise, klWeight }) {
          if (draws > 1) {
            return { loss: tf.mean(importanceBound(vae, images, noise as tf.Tensor3D)) as tf.Scalar };
          }
          const { reconstruction, kl } = elbo(vae, images, noise, "batchMean");
          return {
            loss: tf.add(reconstruction, klWeight === 1 ? kl : tf.mul(kl, klWeight)),
            means: { reconstruction, kl } as Scalars,
          };
        },
      },
    ],
  };
}

/** Each pixel 1 as often as it is bright, else 0. */
export const binarised = (grey: tf.Tensor4D, random: Parameters<typeof uniformTensor>[1]): tf.Tensor4D =>
  tf.cast(tf.less(uniformTensor(grey.shape, random), grey), "float32");

/** Whether there is a number for each image, or their mean. */
type Each = "each" | "batchMean";

/** The two parts of −ELBO by one draw, of noise [batch, d], nats: both [batch] for `each`, else []. */
function elbo(
  vae: Vae,
  images: tf.Tensor4D,
  noise: tf.Tensor,
  reduction: Each,
): { reconstruction: tf.Tensor; kl: tf.Tensor } {
  const [mean, logVariance] = vae.encode.apply(images, { training: true }) as tf.Tensor[];
  const z = ops.reparameterize({ mean, logVariance, noise }); // [batch, d]
  const reconstruction = negativeLogLikelihood(vae, z, images, reduction);
  return { reconstruction, kl: ops.gaussianKl({ mean, logVariance }, { reduction }) };
}

/** The bound of K draws on −log p(x) of each image, nats: [batch]. */
function importanceBound(vae: Vae, images: tf.Tensor4D, noise: tf.Tensor3D): tf.Tensor {
  const [batch, draws, d] = noise.shape;
  const [mean, logVariance] = vae.encode.apply(images, { training: true }) as tf.Tensor[];
  const z = ops.reparameterize({ mean, logVariance, noise }); // [batch, K, d]
  const repeated = tf.reshape(
    tf.tile(tf.expandDims(images, 1), [1, draws, 1, 1, 1]), // [batch, K, height, width, channels]
    [batch * draws, ...images.shape.slice(1)],
  );
  const drawn = negativeLogLikelihood(vae, tf.reshape(z, [batch * draws, d]), repeated); // [batch · K]
  const logLikelihood = tf.neg(tf.reshape(drawn, [batch, draws]));
  return ops.importanceBound({ logLikelihood, z, logVariance, noise });
}

/** −log p(x|z) (nats), of z [rows, d] and images [rows, height, width, channels]: [rows] for `each`, else [] */
function negativeLogLikelihood(
  { decode, likelihood }: Vae,
  z: tf.Tensor,
  images: tf.Tensor,
  reduction: Each = "each",
): tf.Tensor {
  if (likelihood === "gaussian") {
    const [mean, logVariance] = decode.apply(z, { training: true }) as tf.Tensor[];
    const each = ops.gaussianNll({ mean, logVariance, target: images }); // [rows]
    return reduction === "each" ? each : tf.mean(each);
  }
  const logits = decode.apply(z, { training: true }) as tf.Tensor;
  return ops.sigmoidCrossEntropy({ logits, target: images }, { reduction });
}

/** What a variational autoencoder says of images, nats an image. */
export interface AutoencoderEvaluation {
  /** −ELBO: what drawing takes, and the KL divergence, with one draw of each */
  loss: number;
  reconstruction: number;
  kl: number;
  images: number;
}

/** Measures the evidence lower bound. What is drawn follows from `seed`, so that it is the same every time. */
export async function evaluateAutoencoder(
  vae: Vae,
  shape: readonly [number, number, number],
  batches: AsyncIterable<Batch>,
  { binarise = false, seed = 0, onBatch = (_: number) => {} } = {},
): Promise<AutoencoderEvaluation> {
  let [reconstruction, kl, images, batch] = [0, 0, 0, 0];
  for await (const { images: pixels, size } of batches) {
    const measured = tf.tidy(() => {
      const noise = normalTensor([size, vae.latent], randomStream(seed, "held out", "latent", batch));
      const given = imagesOf(pixels, [size, ...shape], binarise, seed, batch);
      const parts = elbo(vae, given, noise, "each");
      return tf.stack([tf.sum(parts.reconstruction), tf.sum(parts.kl)]); // [2]
    });
    const sums = await measured.data();
    measured.dispose();
    [reconstruction, kl, images, batch] = [reconstruction + sums[0], kl + sums[1], images + size, batch + 1];
    onBatch(images);
    await events();
  }
  [reconstruction, kl] = [reconstruction / images, kl / images];
  return { loss: reconstruction + kl, reconstruction, kl, images };
}

/**
 * The importance-weighted bound of K draws on −log p(x), mean over images, nats; each pixel becomes 0 or 1 by `seed`.
 *
 * @param draws K
 */
export async function evaluateImportanceBound(
  vae: Vae,
  shape: readonly [number, number, number],
  batches: AsyncIterable<Batch>,
  { draws = 50, binarise = true, seed = 0, onBatch = (_: number) => {} } = {},
): Promise<{ nll: number; images: number }> {
  let [nll, images, batch] = [0, 0, 0];
  for await (const { images: pixels, size } of batches) {
    const measured = tf.tidy(() => {
      const random = randomStream(seed, "held out", "importance", batch);
      const noise = normalTensor([size, draws, vae.latent], random) as tf.Tensor3D;
      return tf.sum(importanceBound(vae, imagesOf(pixels, [size, ...shape], binarise, seed, batch), noise)); // []
    });
    nll += (await measured.data())[0];
    measured.dispose();
    [images, batch] = [images + size, batch + 1];
    onBatch(images);
    await events();
  }
  return { nll: nll / images, images };
}

function imagesOf(
  pixels: Float32Array,
  shape: [number, number, number, number],
  binarise: boolean,
  seed: number,
  batch: number,
): tf.Tensor4D {
  const grey = tf.tensor4d(pixels, shape);
  return binarise ? binarised(grey, randomStream(seed, "held out", "binarise", batch)) : grey;
}

/** What images a z makes, as pixels from 0 to 1: [rows, height, width, channels]. */
export function drawnImages({ decode, likelihood }: Vae, z: tf.Tensor): tf.Tensor4D {
  return tf.tidy(() => {
    const said = decode.apply(z) as tf.Tensor | tf.Tensor[];
    const [images] = [said].flat();
    return (likelihood === "bernoulli" ? tf.sigmoid(images) : tf.clipByValue(images, 0, 1)) as tf.Tensor4D;
  });
}
