/**
 * What a discriminator and a generator are told to make smaller. Scores are what a discriminator says of images before any
 * sigmoid: the more, the more it takes them for real ones.
 */
import * as tf from "@tensorflow/tfjs-core";
import { relu } from "../ops/relu.ts";
import { sigmoidCrossEntropy } from "../ops/sigmoid-cross-entropy.ts";

/** Two sides of one game; every score is [batch, 1] and every loss []. */
export interface GanLosses {
  discriminator(real: tf.Tensor, fake: tf.Tensor): tf.Scalar;
  generator(fake: tf.Tensor): tf.Scalar;
}

/** −log σ(s) where images are to be taken for real, −log(1 − σ(s)) where not; mean over the batch. */
const crossEntropy = (scores: tf.Tensor, target: 0 | 1): tf.Scalar =>
  sigmoidCrossEntropy({ logits: scores, target: tf.fill(scores.shape, target) }, { reduction: "mean" }) as tf.Scalar;

const mean = (scores: tf.Tensor): tf.Scalar => tf.mean(scores);

/** −log D(x) − log(1 − D(G(z))), D = σ(s) (Goodfellow et al. 2014, algorithm 1) */
const tellsApart = (real: tf.Tensor, fake: tf.Tensor): tf.Scalar =>
  tf.add(crossEntropy(real, 1), crossEntropy(fake, 0));

export const ganLosses = {
  /** The generator makes log(1 − D(G(z))) smaller: the game of Goodfellow et al. 2014, eq. 1. */
  original: { discriminator: tellsApart, generator: (fake) => tf.neg(crossEntropy(fake, 0)) },

  /** The generator makes −log D(G(z)) smaller, whose slope does not vanish while it loses (ibid., sec. 3). */
  "non-saturating": { discriminator: tellsApart, generator: (fake) => crossEntropy(fake, 1) },

  /** max(0, 1 − s) for real images and max(0, 1 + s) for others (Lim & Ye 2017; Miyato et al. 2018, eqs. 16 and 17) */
  hinge: {
    discriminator: (real, fake) =>
      tf.add(mean(relu({ x: tf.sub(1, real) })), mean(relu({ x: tf.add(1, fake) }))) as tf.Scalar,
    generator: (fake) => tf.neg(mean(fake)),
  },

  /** The distance between two means (Arjovsky et al. 2017, algorithm 1): for a critic whose slope is kept small. */
  wasserstein: {
    discriminator: (real, fake) => tf.sub(mean(fake), mean(real)),
    generator: (fake) => tf.neg(mean(fake)),
  },
} as const satisfies { [name: string]: GanLosses };

export type GanLossName = keyof typeof ganLosses;

export const ganLossNames = Object.keys(ganLosses) as GanLossName[];
