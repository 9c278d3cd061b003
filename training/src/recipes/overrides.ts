import { ganLossNames, InputError, noiseSchedules, predictions } from "@tfjs-zoo/models";
import { closest } from "fastest-levenshtein";
import { testViews } from "../tasks/test-views.ts";
import type { AutoencoderRecipe } from "./autoencoder-recipe.ts";
import type { DiffusionRecipe } from "./diffusion-recipe.ts";
import type { GanRecipe } from "./gan-recipe.ts";
import { type Recipe, type RecipeName, recipes } from "./recipe.ts";
import type { TextRecipe } from "./text-recipe.ts";

/** One field of a recipe: what it means and which values it takes. */
interface Field {
  help: string;
  values: "boolean" | readonly string[] | { min: number; max?: number; integer?: boolean };
}

const count = { min: 1, integer: true };
const share = { min: 0, max: 1 };

/** The fields of a kind of recipe. */
export type RecipeFields<R> = { readonly [K in keyof R]: Field };

/** Every field of a recipe for images. */
export const recipeFields: RecipeFields<Recipe> = {
  epochs: { help: "passes over the training set", values: { min: 1, integer: true } },
  batchSize: { help: "images a batch", values: count },
  optimizer: { help: "update rule", values: ["sgd", "adam", "adamw", "muon"] },
  learningRate: { help: "peak learning rate", values: { min: 0 } },
  biasFactor: { help: "learning rate of biases and norms, in multiples of the others'", values: { min: 0 } },
  muonLearningRate: { help: "peak learning rate of filters, where Muon moves them", values: { min: 0 } },
  momentum: { help: "momentum of SGD", values: share },
  nesterov: { help: "Nesterov's form of the momentum", values: "boolean" },
  weightDecay: { help: "decay of weights (not of norms and biases)", values: { min: 0 } },
  schedule: { help: "how the learning rate goes", values: ["constant", "step", "cosine", "one-cycle", "linear"] },
  warmupEpochs: { help: "epochs of linear warm-up", values: { min: 0 } },
  labelSmoothing: { help: "share of the target spread over all classes", values: share },
  pad: { help: "pixels around an image before a random crop", values: { min: 0, integer: true } },
  border: { help: "what those pixels are", values: ["zeros", "reflect"] },
  flip: { help: "mirror half of the images", values: "boolean" },
  alternateFlip: { help: "mirror each image every other epoch, not by chance", values: "boolean" },
  cutout: { help: "side of a blanked square, 0 for none", values: { min: 0, integer: true } },
  randAugment: { help: "RandAugment operations an image, 0 for none", values: { min: 0, max: 14, integer: true } },
  randAugmentMagnitude: { help: "how strong they are", values: { min: 0, max: 30 } },
  mixup: { help: "alpha of mixup, 0 for none", values: { min: 0, max: 8 } },
  cutmix: { help: "alpha of CutMix, 0 for none", values: { min: 0, max: 8 } },
  temperature: { help: "softens what --teacher says", values: { min: 1, max: 100 } },
  distillWeight: { help: "what --teacher counts for beside the labels", values: share },
  clipNorm: { help: "largest gradient norm, 0 for no limit", values: { min: 0 } },
  accumulate: { help: "batches whose gradients make one update", values: count },
  ema: { help: "decay of the weights' moving average, 0 for none", values: { min: 0, max: 0.99999 } },
  whiten: { help: "the first convolution's filters whiten what it sees, and stay so", values: "boolean" },
  testViews: { help: "views of an image over which a test averages", values: testViews },
  patience: { help: "epochs without improvement before stopping, 0 for never", values: { min: 0, integer: true } },
};

/** Every field of a recipe for text. */
export const textRecipeFields: RecipeFields<TextRecipe> = {
  ...pick(recipeFields, ["epochs", "learningRate", "weightDecay", "warmupEpochs", "labelSmoothing"]),
  ...pick(recipeFields, ["clipNorm", "accumulate", "ema", "patience"]),
  batchSize: { help: "texts a batch", values: count },
  optimizer: { help: "update rule", values: ["adam", "adamw", "sgd"] },
  beta2: { help: "decay of Adam's mean of squared gradients", values: { min: 0, max: 0.99999 } },
  schedule: { help: "how the learning rate goes", values: ["constant", "linear", "cosine", "inverse-sqrt"] },
  dropout: { help: "share of units that training drops", values: { min: 0, max: 0.95 } },
  scheduledSampling: { help: "share of a target that a translator is given as it says it itself", values: share },
  averageLast: { help: "average the weights of so many last epochs, 0 for none", values: { min: 0, integer: true } },
};

/** Every field of a recipe for autoencoders. */
export const autoencoderRecipeFields: RecipeFields<AutoencoderRecipe> = {
  ...pick(recipeFields, ["epochs", "batchSize", "learningRate", "weightDecay", "warmupEpochs"]),
  ...pick(recipeFields, ["clipNorm", "accumulate", "ema", "patience"]),
  optimizer: { help: "update rule", values: ["adam", "adamw"] },
  schedule: { help: "how the learning rate goes", values: ["constant", "linear", "cosine"] },
  klWeight: { help: "beta: what the KL divergence counts for", values: { min: 0 } },
  klWarmupEpochs: { help: "epochs over which it rises to that from 0", values: { min: 0 } },
  draws: { help: "draws of each z: with several, the importance-weighted bound", values: { ...count, max: 1000 } },
  binarise: { help: "each pixel becomes 0 or 1, drawn anew in every step", values: "boolean" },
};

/** Every field of a recipe for networks of diffusion. */
export const diffusionRecipeFields: RecipeFields<DiffusionRecipe> = {
  ...pick(recipeFields, ["epochs", "batchSize", "learningRate", "weightDecay", "warmupEpochs", "flip"]),
  ...pick(recipeFields, ["clipNorm", "accumulate", "ema", "patience"]),
  ...pick(textRecipeFields, ["dropout"]),
  ...pick(autoencoderRecipeFields, ["optimizer", "schedule"]),
  noise: { help: "how much noise there is at which time", values: noiseSchedules },
  times: { help: "T: times from an image to pure noise", values: { min: 2, max: 10_000, integer: true } },
  prediction: { help: "what the network predicts: the noise, the image, or v", values: predictions },
  minSnr: { help: "gamma of the min-SNR weighting, 0 for none", values: { min: 0 } },
  dropClass: { help: "how often an image is shown without its class, for guidance", values: share },
};

/** Every field of a recipe for GANs. */
export const ganRecipeFields: RecipeFields<GanRecipe> = {
  ...pick(recipeFields, ["epochs", "batchSize", "learningRate", "warmupEpochs", "flip"]),
  ...pick(recipeFields, ["clipNorm", "accumulate", "ema"]),
  ...pick(textRecipeFields, ["beta2"]),
  ...pick(autoencoderRecipeFields, ["schedule"]),
  beta1: { help: "decay of Adam's mean of gradients", values: { min: 0, max: 0.99999 } },
  loss: { help: "what a GAN's two networks make smaller", values: ganLossNames },
  discriminatorFactor: {
    help: "learning rate of the discriminator, in multiples of the generator's",
    values: { min: 0 },
  },
  discriminatorSteps: { help: "updates of the discriminator for one of the generator", values: { ...count, max: 100 } },
  gradientPenalty: { help: "lambda: what it counts that a critic's slope is not 1, 0 for nothing", values: { min: 0 } },
  clipWeights: { help: "where a critic's weights are cut off, 0 for nowhere", values: { min: 0 } },
};

function pick<T, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}

/** learningRate -> learning-rate */
export const flagOf = (field: string): string => field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** @throws InputError for an unknown recipe, with the nearest known one */
export const recipeName = (name: string): RecipeName => recipeNameIn(name, recipes);

/** The same of other recipes. */
export function recipeNameIn<N extends string>(name: string, known: { readonly [K in N]: unknown }): N {
  if (Object.hasOwn(known, name)) return name as N;
  const names = Object.keys(known);
  throw new InputError(
    `unknown recipe "${name}": did you mean "${closest(name, names)}"? (known: ${names.join(", ")})`,
  );
}

type Overrides = { [field: string]: string | boolean };

/**
 * Overrides fields of a recipe by texts, as flags give them.
 *
 * @throws InputError for an unknown field, with the nearest known one, or a value that the field can't take
 */
export const overrideRecipe = (recipe: Recipe, overrides: Overrides): Recipe =>
  overridden(recipe, overrides, recipeFields);

/** The same for a recipe for text. */
export function overrideTextRecipe(recipe: TextRecipe, overrides: Overrides): TextRecipe {
  const result = overridden(recipe, overrides, textRecipeFields);
  if (result.ema > 0 && result.averageLast > 0) {
    throw new InputError(
      `--ema ${result.ema} and --average-last ${result.averageLast} are both averages of weights: set one of them to 0`,
    );
  }
  return result;
}

/** The same for a recipe for autoencoders. */
export function overrideAutoencoderRecipe(recipe: AutoencoderRecipe, overrides: Overrides): AutoencoderRecipe {
  const result = overridden(recipe, overrides, autoencoderRecipeFields);
  if (result.draws > 1 && (result.klWeight !== 1 || result.klWarmupEpochs > 0)) {
    throw new InputError(
      `--draws ${result.draws} learns by the importance-weighted bound, which has no KL divergence to weigh: leave --kl-weight and --kl-warmup-epochs out, or give --draws 1`,
    );
  }
  return result;
}

/** The same for a recipe for networks of diffusion. */
export const overrideDiffusionRecipe = (recipe: DiffusionRecipe, overrides: Overrides): DiffusionRecipe =>
  overridden(recipe, overrides, diffusionRecipeFields);

/** The same for a recipe for GANs. */
export function overrideGanRecipe(recipe: GanRecipe, overrides: Overrides): GanRecipe {
  const result = overridden(recipe, overrides, ganRecipeFields);
  if (result.gradientPenalty > 0 && result.clipWeights > 0) {
    throw new InputError(
      `--gradient-penalty ${result.gradientPenalty} and --clip-weights ${result.clipWeights} both keep a critic's slope small: set one of them to 0`,
    );
  }
  if (result.loss === "wasserstein" && result.gradientPenalty === 0 && result.clipWeights === 0) {
    throw new InputError(
      "--loss wasserstein needs a critic of small slope: give --gradient-penalty 10 (--recipe wgan-gp), or --clip-weights 0.01 (--recipe wgan)",
    );
  }
  return result;
}

function overridden<R extends object>(recipe: R, overrides: Overrides, fields: RecipeFields<R>): R {
  const result = { ...recipe } as { [field: string]: unknown };
  for (const [field, text] of Object.entries(overrides)) {
    if (!Object.hasOwn(fields, field)) {
      const nearest = closest(field, Object.keys(fields));
      throw new InputError(`unknown recipe field --${flagOf(field)}: did you mean --${flagOf(nearest)}?`);
    }
    result[field] = parseField(field, fields[field as keyof R], text);
  }
  return result as unknown as R;
}

function parseField(field: string, { values }: Field, text: string | boolean): unknown {
  const refuse = (expected: string) => {
    throw new InputError(`--${flagOf(field)} got "${text}"; expected ${expected}`);
  };
  if (values === "boolean") {
    if (text === true || text === "true") return true;
    return text === false || text === "false" ? false : refuse("true or false");
  }
  if (Array.isArray(values)) {
    const known: string[] = values as string[];
    return known.includes(String(text))
      ? text
      : refuse(`one of ${known.join(", ")} (did you mean "${closest(String(text), known)}"?)`);
  }
  const {
    min,
    max = Number.POSITIVE_INFINITY,
    integer = false,
  } = values as Exclude<Field["values"], string | readonly string[]>;
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  const fits = Number.isFinite(value) && value >= min && value <= max && (!integer || Number.isInteger(value));
  const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`;
  return fits ? value : refuse(`${integer ? "a whole number" : "a number"} ${range}`);
}
