import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "@tfjs-zoo/datasets";
import {
  type Gan,
  type GanLossName,
  ganLosses,
  InputError,
  normalTensor,
  ops,
  type Random,
  randomStream,
  uniformTensor,
} from "@tfjs-zoo/models";
import type { Scalars, Task } from "./task.ts";

/** What the discriminator is shown, or what the generator is to make images of. */
type Inputs = {
  /** [batch, height, width, channels]: real images, generated ones, and places between them for the penalty */
  real?: tf.Tensor4D;
  fake?: tf.Tensor4D;
  between?: tf.Tensor4D;
  /** [batch, d] */
  z?: tf.Tensor2D;
  /** int32 [batch], where the networks are told classes: of the real images, and of the generated ones */
  classes?: tf.Tensor1D;
  fakeClasses?: tf.Tensor1D;
};

export interface AdversarialOptions {
  loss?: GanLossName;
  /** λ of the gradient penalty (Gulrajani et al. 2017, eq. 3), 0 for none */
  gradientPenalty?: number;
  /** c: where the critic's weights are cut off (Arjovsky et al. 2017, algorithm 1), 0 for nowhere */
  clipWeights?: number;
  /** n: updates of the discriminator for one of the generator */
  discriminatorSteps?: number;
}

/**
 * A generator and a discriminator against each other (Goodfellow et al. 2014, algorithm 1): two updates that take turns,
 * each with fresh noise.
 *
 * @param shape of an image; batches have images in [−1, 1]
 * @throws InputError for options that do not fit the networks
 */
export function adversarial(
  gan: Gan,
  shape: readonly [number, number, number],
  { loss = "non-saturating", gradientPenalty = 0, clipWeights = 0, discriminatorSteps = 1 }: AdversarialOptions = {},
): Task<Batch, Inputs> {
  const { generator, discriminator, latent, classes: kinds } = gan;
  const losses = ganLosses[loss];
  if (gradientPenalty > 0 && hasBatchNorm(gan)) {
    throw new InputError(
      `a gradient penalty of ${gradientPenalty} needs a discriminator that scores each image by itself, and ${discriminator.name} has batch norm: take a network without, such as wgan-mnist, or a penalty of 0`,
    );
  }
  // Where a step's random numbers come from, and how many batches it has drawn for.
  let at = { seed: 0, step: 0, draws: 0 };
  const score = (images: tf.Tensor, classes?: tf.Tensor) =>
    discriminator.apply(classes === undefined ? images : [images, classes], { training: true }) as tf.Tensor; // [batch, 1]
  const made = (z: tf.Tensor, classes?: tf.Tensor) =>
    generator.apply(classes === undefined ? z : [z, classes], { training: true }) as tf.Tensor4D;

  const uploaded = (batch: Batch, update: string): Inputs => {
    const draw = at.draws++;
    const drawn = (what: string) => randomStream(at.seed, "adversarial", at.step, draw, what);
    const { size } = batch;
    const z = normalTensor([size, latent], drawn("z")) as tf.Tensor2D; // [batch, d]
    const told = kinds === undefined ? {} : { fakeClasses: drawnClasses(size, kinds, drawn("class")) };
    if (update === "generator") return { z, ...told };
    const real = tf.tensor4d(batch.images, [size, ...shape]);
    // The generator's pass belongs to no gradient of the discriminator's.
    const fake = made(z, told.fakeClasses);
    const images = { real, fake, ...told, ...(kinds && { classes: tf.tensor1d(batch.labels, "int32") }) };
    if (gradientPenalty === 0) return images;
    const share = uniformTensor([size, 1, 1, 1], drawn("share")); // ε [batch, 1, 1, 1]
    return { ...images, between: tf.add(fake, tf.mul(share, tf.sub(real, fake))) };
  };

  return {
    weights: [...generator.weights, ...discriminator.weights],
    size: ({ size }) => size,
    upload: (batch, update) => tf.tidy(() => uploaded(batch, update)),
    seed(seed, step) {
      at = { seed, step, draws: 0 };
    },

    updates: [
      {
        name: "discriminator",
        variables: discriminator.trainableWeights,
        ...(clipWeights > 0 && { bound: clipWeights }),
        loss({ real, fake, between, classes, fakeClasses }) {
          const [ofReal, ofFake] = [score(real as tf.Tensor4D, classes), score(fake as tf.Tensor4D, fakeClasses)];
          const told = losses.discriminator(ofReal, ofFake);
          const metrics: Scalars = { real: tf.sum(ofReal), fake: tf.sum(ofFake) };
          const means: Scalars = { discriminator: told };
          if (between === undefined) return { loss: told, metrics, means };
          const penalty = ops.gradientPenalty((x) => score(x, classes), between);
          return {
            loss: tf.add(told, tf.mul(penalty, gradientPenalty)),
            ...{ metrics, means: { ...means, penalty } },
          };
        },
      },
      {
        name: "generator",
        variables: generator.trainableWeights,
        every: discriminatorSteps,
        loss({ z, fakeClasses }) {
          const scores = score(made(z as tf.Tensor2D, fakeClasses), fakeClasses);
          const loss = losses.generator(scores);
          return { loss, means: { generator: loss } };
        },
      },
    ],
  };
}

const drawnClasses = (size: number, classes: number, random: Random): tf.Tensor1D =>
  tf.tensor1d(
    Int32Array.from({ length: size }, () => random.integer(classes)),
    "int32",
  );

const hasBatchNorm = ({ discriminator }: Gan): boolean =>
  discriminator.weights.some(({ originalName }) => originalName.endsWith("/running_mean"));

/**
 * Images of z in inference mode: [n, height, width, channels] from 0 to 1.
 *
 * @param classes of each, for a GAN that is told any
 */
export function generatedImages({ generator }: Pick<Gan, "generator">, z: tf.Tensor, classes?: tf.Tensor): tf.Tensor4D {
  return tf.tidy(() => {
    const images = generator.apply(classes === undefined ? z : [z, classes], { training: false }) as tf.Tensor4D;
    return tf.mul(tf.add(images, 1), 0.5);
  });
}
