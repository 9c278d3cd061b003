import type { AdamRecipe } from "./adam-recipe.ts";

/** How an autoencoder is trained. Plain data, as a recipe for classifiers is. */
export interface AutoencoderRecipe extends AdamRecipe {
  epochs: number;
  batchSize: number;
  /** peak learning rate */
  learningRate: number;
  /** β: what the KL divergence counts for */
  klWeight: number;
  /** epochs over which it rises to that from 0 */
  klWarmupEpochs: number;
  /** K: draws of each z; with several the loss is the importance-weighted bound */
  draws: number;
  /** In every step each pixel becomes 0 or 1, 1 as often as it is bright. */
  binarise: boolean;
  /** largest norm of a gradient, 0 for no limit */
  clipNorm: number;
  /** batches whose gradients make one update */
  accumulate: number;
  /** decay of the moving average of the weights, 0 for none */
  ema: number;
  /** epochs without a better bound after which to stop, 0 for never */
  patience: number;
}

const base: AutoencoderRecipe = {
  epochs: 10,
  batchSize: 64,
  optimizer: "adam",
  learningRate: 2e-3,
  weightDecay: 0,
  schedule: "cosine",
  warmupEpochs: 0,
  klWeight: 1,
  klWarmupEpochs: 0,
  draws: 1,
  binarise: false,
  clipNorm: 0,
  accumulate: 1,
  ema: 0,
  patience: 0,
};

/** The recipes for autoencoders, by name. */
export const autoencoderRecipes = {
  /** Digits that can be read, in a minute: grey pixels, as courses have it. */
  quick: base,
  /** Close to what the network can do: black and white pixels, drawn anew in every step, and five draws of each z. */
  standard: { ...base, epochs: 150, batchSize: 128, draws: 5, binarise: true, ema: 0.999 },
} as const satisfies { [name: string]: AutoencoderRecipe };
