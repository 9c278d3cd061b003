import type { GanLossName } from "@tfjs-zoo/models";
import { adam, type ParameterGroup } from "../optim/index.ts";
import type { AdamRecipe } from "./adam-recipe.ts";

/** How a GAN is trained. Plain data, as a recipe for classifiers is. */
export interface GanRecipe extends Pick<AdamRecipe, "schedule" | "warmupEpochs"> {
  epochs: number;
  batchSize: number;
  /** peak learning rate, of the generator */
  learningRate: number;
  /** the discriminator's, in multiples of it (Heusel et al. 2017: two time scales) */
  discriminatorFactor: number;
  /** of Adam, for both */
  beta1: number;
  beta2: number;
  loss: GanLossName;
  /** λ, 0 for none */
  gradientPenalty: number;
  /** c, 0 for nowhere */
  clipWeights: number;
  /** updates of the discriminator for one of the generator */
  discriminatorSteps: number;
  /** Mirror half of the images. */
  flip: boolean;
  /** largest norm of a gradient, 0 for no limit */
  clipNorm: number;
  /** batches whose gradients make one update */
  accumulate: number;
  /** decay of the moving average of the weights, which makes the images in the end; 0 for none */
  ema: number;
}

const base: GanRecipe = {
  epochs: 20,
  batchSize: 128,
  learningRate: 2e-4,
  discriminatorFactor: 1,
  beta1: 0.5,
  beta2: 0.999,
  schedule: "constant",
  warmupEpochs: 0,
  loss: "non-saturating",
  gradientPenalty: 0,
  clipWeights: 0,
  discriminatorSteps: 1,
  flip: false,
  clipNorm: 0,
  accumulate: 1,
  ema: 0.999,
};

/** The recipes for GANs, by name. */
export const ganRecipes = {
  /** Radford, Metz & Chintala 2016, sec. 4. */
  dcgan: base,
  /** Gulrajani et al. 2017, algorithm 1. */
  "wgan-gp": {
    ...{ ...base, loss: "wasserstein", gradientPenalty: 10, discriminatorSteps: 5 },
    ...{ batchSize: 64, beta1: 0, beta2: 0.9, ema: 0.99 },
  },
  /** Arjovsky et al. 2017, algorithm 1, by Adam without momentum in place of RMSprop. */
  wgan: {
    ...{ ...base, loss: "wasserstein", clipWeights: 0.01, discriminatorSteps: 5 },
    ...{ batchSize: 64, learningRate: 5e-5, beta1: 0, beta2: 0.9, ema: 0.99 },
  },
  /** Miyato et al. 2018, with the two time scales of Heusel et al. 2017. */
  hinge: { ...base, loss: "hinge", beta1: 0, beta2: 0.9, discriminatorFactor: 2 },
} as const satisfies { [name: string]: GanRecipe };

/** Which optimizer moves which network's weights: each of the updates of a GAN has its own. */
export function ganGroups(
  { beta1, beta2, discriminatorFactor }: GanRecipe,
  { discriminator }: { discriminator: { weights: readonly unknown[] } },
): ParameterGroup[] {
  const optimizer = adam({ beta1, beta2 });
  const judging = new Set<unknown>(discriminator.weights);
  return [
    { name: "judge", takes: (weight) => judging.has(weight), optimizer, learningRateFactor: discriminatorFactor },
    { name: "maker", takes: () => true, optimizer },
  ];
}
