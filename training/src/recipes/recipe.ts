import { adam, muon, type ParameterGroup, sgd, weightsAndBiases } from "../optim/index.ts";
import { constant, cosine, linear, oneCycle, type Schedule, stepwise, withWarmup } from "../schedules/schedule.ts";
import type { TestViews } from "../tasks/test-views.ts";

/** How a network is trained. Plain data, so that a run can record it; the flags of `zoo train` are its keys. */
export interface Recipe {
  epochs: number;
  batchSize: number;
  /** `muon`: Muon for the filters of convolutions, SGD for all else */
  optimizer: "sgd" | "adam" | "adamw" | "muon";
  /** peak learning rate */
  learningRate: number;
  /** learning rate of biases and norms, in multiples of the others' */
  biasFactor: number;
  /** peak learning rate of Muon: the angle, in radians, by which a step turns a filter */
  muonLearningRate: number;
  /** of SGD */
  momentum: number;
  /** Nesterov's form of SGD's momentum */
  nesterov: boolean;
  /** of weights; norms and biases are left out */
  weightDecay: number;
  schedule: "constant" | "step" | "cosine" | "one-cycle" | "linear";
  warmupEpochs: number;
  labelSmoothing: number;
  /** pixels of zeros around an image before a random crop, 0 for no crop */
  pad: number;
  /** what those pixels are: zeros, or the image mirrored at its edge */
  border: "zeros" | "reflect";
  /** Mirror half of the images. */
  flip: boolean;
  /** Mirror each image every other epoch, not by chance. */
  alternateFlip: boolean;
  /** side of a square that is blanked at random, 0 for none */
  cutout: number;
  /** N of RandAugment: operations drawn for each image, 0 for none */
  randAugment: number;
  /** M of RandAugment, 0 to 30 */
  randAugmentMagnitude: number;
  /** α of mixup, 0 for none */
  mixup: number;
  /** α of CutMix, 0 for none; with mixup too, each batch is mixed in one of the two ways */
  cutmix: number;
  /** T of distillation, where there is a teacher */
  temperature: number;
  /** α of distillation: what the teacher counts for beside the labels */
  distillWeight: number;
  /** largest norm of a gradient, 0 for no limit */
  clipNorm: number;
  /** batches whose gradients make one update */
  accumulate: number;
  /** decay of the moving average of the weights, 0 for none */
  ema: number;
  /** The filters of the first convolution whiten what it sees, and stay so. */
  whiten: boolean;
  /** the views of an image over which a test averages */
  testViews: TestViews;
  /** epochs without a better validation accuracy after which to stop, 0 for never */
  patience: number;
}

const base: Recipe = {
  epochs: 20,
  batchSize: 128,
  optimizer: "sgd",
  learningRate: 0.1,
  biasFactor: 1,
  muonLearningRate: 0.24,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 5e-4,
  schedule: "one-cycle",
  warmupEpochs: 0,
  labelSmoothing: 0,
  pad: 4,
  border: "zeros",
  flip: true,
  alternateFlip: false,
  cutout: 0,
  randAugment: 0,
  randAugmentMagnitude: 9,
  mixup: 0,
  cutmix: 0,
  temperature: 4,
  distillWeight: 0.9,
  clipNorm: 0,
  accumulate: 1,
  ema: 0,
  whiten: false,
  testViews: "plain",
  patience: 0,
};

/** The recipes for pictures of things, by name. */
export const recipes = {
  /** A good network in the time of a long coffee. */
  quick: { ...base, epochs: 26, learningRate: 0.2 },
  /** Close to what the network can do, in an evening. */
  standard: { ...base, epochs: 75, schedule: "cosine", warmupEpochs: 1, ema: 0.999 },
  /** He et al. 2016, sec. 4.2: 64,000 steps, the learning rate divided by 10 at 1/2 and 3/4. */
  paper: { ...base, epochs: 164, nesterov: false, weightDecay: 1e-4, schedule: "step" },
  /** For a network that begins from weights (`--init`): small steps, which leave what it knows. */
  "fine-tune": { ...base, epochs: 10, batchSize: 32, learningRate: 0.01, schedule: "cosine" },
  /**
   * 94 % on CIFAR-10 by airbench94 in the least time: after Jordan's airbench94_muon (2024), which takes 8 epochs for a
   * mean of 94.01 %; two more make sure of it.
   */
  speedrun: {
    ...base,
    epochs: 10,
    batchSize: 2000,
    optimizer: "muon",
    learningRate: 1.66,
    biasFactor: 64,
    muonLearningRate: 0.24,
    momentum: 0.85,
    weightDecay: 2.4e-3,
    schedule: "linear",
    labelSmoothing: 0.2,
    pad: 2,
    border: "reflect",
    alternateFlip: true,
    whiten: true,
    testViews: "shifts",
  },
} as const satisfies { [name: string]: Recipe };

export type RecipeName = keyof typeof recipes;

/** Digits must not be mirrored, and need less of everything. */
const digits: Partial<Recipe> = { epochs: 8, learningRate: 0.05, pad: 2, flip: false };

/** What a data set changes in every recipe. */
const byDataset: { [dataset: string]: Partial<Recipe> } = {
  mnist: digits,
  "fashion-mnist": { ...digits, epochs: 15, flip: true },
};

export function recipeFor(name: RecipeName, dataset: string): Recipe {
  const recipe = { ...recipes[name], ...byDataset[dataset] };
  // What is already known needs small steps on digits too.
  return name === "fine-tune" ? { ...recipe, learningRate: recipes[name].learningRate } : recipe;
}

/** Which optimizer moves which weights. */
export function parameterGroups(recipe: Recipe): ParameterGroup[] {
  const { optimizer, learningRate, muonLearningRate, momentum, nesterov } = recipe;
  if (optimizer === "adam" || optimizer === "adamw") {
    return weightsAndBiases(adam({ decoupled: optimizer === "adamw" }), recipe);
  }
  const groups = weightsAndBiases(sgd({ momentum, nesterov }), recipe);
  if (optimizer === "sgd") return groups;
  const learningRateFactor = learningRate === 0 ? 0 : muonLearningRate / learningRate;
  return [
    { name: "filters", takes: ({ shape }) => shape.length === 4, optimizer: muon(), learningRateFactor },
    ...groups,
  ];
}

export function scheduleOf({ schedule, warmupEpochs }: Recipe): Schedule {
  const shapes = { constant, step: stepwise(), cosine: cosine(), "one-cycle": oneCycle(), linear };
  return warmupEpochs > 0 ? withWarmup(shapes[schedule], warmupEpochs) : shapes[schedule];
}
