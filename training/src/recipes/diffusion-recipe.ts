import type { NoiseScheduleName, Prediction } from "@tfjs-zoo/models";
import type { AdamRecipe } from "./adam-recipe.ts";

/** How a network of diffusion is trained. Plain data, as a recipe for classifiers is. */
export interface DiffusionRecipe extends AdamRecipe {
  epochs: number;
  batchSize: number;
  /** peak learning rate */
  learningRate: number;
  /** how much noise there is at which time */
  noise: NoiseScheduleName;
  /** T: times */
  times: number;
  /** what the network predicts */
  prediction: Prediction;
  /** γ of the min-SNR weighting, 0 for none */
  minSnr: number;
  /** how often an image is shown without its class, for guidance */
  dropClass: number;
  /** share of units that training drops */
  dropout: number;
  /** Mirror half of the images. */
  flip: boolean;
  /** largest norm of a gradient, 0 for no limit */
  clipNorm: number;
  /** batches whose gradients make one update */
  accumulate: number;
  /** decay of the moving average of the weights, 0 for none */
  ema: number;
  /** epochs without a lower loss after which to stop, 0 for never */
  patience: number;
}

const base: DiffusionRecipe = {
  epochs: 10,
  batchSize: 128,
  optimizer: "adam",
  learningRate: 1e-3,
  weightDecay: 0,
  schedule: "cosine",
  warmupEpochs: 0.5,
  noise: "cosine",
  times: 1000,
  prediction: "epsilon",
  minSnr: 0,
  dropClass: 0.1,
  dropout: 0,
  flip: false,
  clipNorm: 1,
  accumulate: 1,
  ema: 0.999,
  patience: 0,
};

/** The recipes for networks of diffusion, by name. */
export const diffusionRecipes = {
  /** Digits that can be read. */
  quick: base,
  /** Close to what the network can do. */
  standard: { ...base, epochs: 40 },
  /** Ho, Jain & Abbeel 2020, app. B: 800,000 steps on CIFAR-10. */
  paper: {
    ...base,
    ...{ epochs: 2048, learningRate: 2e-4, schedule: "constant", warmupEpochs: 12.8, noise: "linear" },
    ...{ dropout: 0.1, flip: true, ema: 0.9999 },
  },
} as const satisfies { [name: string]: DiffusionRecipe };
