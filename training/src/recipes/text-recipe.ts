import { adam, type ParameterGroup, sgd, weightsAndBiases } from "../optim/index.ts";
import { constant, cosine, inverseSqrt, linear, type Schedule, withWarmup } from "../schedules/schedule.ts";

/** How a network of text is trained. Plain data, as a recipe for images is. */
export interface TextRecipe {
  epochs: number;
  /** texts a batch: windows, or pairs of sentences */
  batchSize: number;
  optimizer: "adam" | "adamw" | "sgd";
  /** peak learning rate */
  learningRate: number;
  /** β₂ of Adam */
  beta2: number;
  /** of weights; norms and biases are left out */
  weightDecay: number;
  schedule: "constant" | "linear" | "cosine" | "inverse-sqrt";
  warmupEpochs: number;
  labelSmoothing: number;
  /** share of units that training drops */
  dropout: number;
  /** largest norm of a gradient, 0 for no limit */
  clipNorm: number;
  /** batches whose gradients make one update */
  accumulate: number;
  /** decay of the moving average of the weights, 0 for none */
  ema: number;
  /** how often a translator is given its own last token in training, not the true one */
  scheduledSampling: number;
  /** Average the weights of so many last epochs at the end, 0 for the last alone. */
  averageLast: number;
  /** epochs without a lower validation loss after which to stop, 0 for never */
  patience: number;
}

const base: TextRecipe = {
  epochs: 10,
  batchSize: 64,
  optimizer: "adamw",
  learningRate: 2e-3,
  beta2: 0.99,
  weightDecay: 0.1,
  schedule: "cosine",
  warmupEpochs: 0.5,
  labelSmoothing: 0,
  dropout: 0,
  clipNorm: 1,
  accumulate: 1,
  ema: 0,
  scheduledSampling: 0,
  averageLast: 0,
  patience: 0,
};

/** The recipes for language models, by name. */
export const textRecipes = {
  /** A network that spells, in the time of a coffee. */
  quick: base,
  /** Close to what the network can do. */
  standard: { ...base, epochs: 40, dropout: 0.05 },
} as const satisfies { [name: string]: TextRecipe };

const pairs: TextRecipe = {
  ...base,
  epochs: 15,
  batchSize: 128,
  optimizer: "adam",
  learningRate: 2e-3,
  beta2: 0.98,
  weightDecay: 0,
  schedule: "inverse-sqrt",
  warmupEpochs: 4,
  labelSmoothing: 0.1,
  dropout: 0.2,
};

/** The recipes for translators, by name. */
export const translatorRecipes = {
  /** Sentences that can be read, in the time of a long coffee. */
  quick: pairs,
  /** Close to what the network can do. */
  standard: { ...pairs, epochs: 40, dropout: 0.3, averageLast: 5 },
} as const satisfies { [name: string]: TextRecipe };

const encoder: TextRecipe = {
  ...base,
  learningRate: 1e-3,
  beta2: 0.999,
  weightDecay: 0.01,
  schedule: "linear",
  warmupEpochs: 1,
  dropout: 0.1,
};

/** The recipes for text encoders that learn from text alone, by name. */
export const encoderRecipes = {
  /** Knows the commonest words, in the time of a long coffee. */
  quick: encoder,
  /** Close to what the network can do. */
  standard: { ...encoder, epochs: 40, warmupEpochs: 2 },
} as const satisfies { [name: string]: TextRecipe };

const labelledTexts: TextRecipe = { ...encoder, epochs: 3, batchSize: 32, learningRate: 5e-4, warmupEpochs: 0.3 };

/** The recipes for classifiers of texts, by name. */
export const textClassifierRecipes = {
  /** From nothing. */
  quick: labelledTexts,
  /** From weights that know the language: small steps (Devlin et al. 2019, A.3; Turc et al. 2019 for small networks). */
  "fine-tune": { ...labelledTexts, learningRate: 1e-4 },
} as const satisfies { [name: string]: TextRecipe };

export type TextRecipeName = keyof typeof textRecipes;

/** Which optimizer moves which weights. */
export function textParameterGroups({ optimizer, beta2, weightDecay }: TextRecipe): ParameterGroup[] {
  const rule = optimizer === "sgd" ? sgd({ momentum: 0.9 }) : adam({ beta2, decoupled: optimizer === "adamw" });
  return weightsAndBiases(rule, { weightDecay });
}

export function textScheduleOf({ schedule, warmupEpochs }: TextRecipe): Schedule {
  if (schedule === "inverse-sqrt") return inverseSqrt(warmupEpochs);
  const shapes = { constant, linear, cosine: cosine(0.1) };
  return warmupEpochs > 0 ? withWarmup(shapes[schedule], warmupEpochs) : shapes[schedule];
}
