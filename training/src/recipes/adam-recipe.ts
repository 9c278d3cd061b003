import { adam, type ParameterGroup, weightsAndBiases } from "../optim/index.ts";
import { constant, cosine, linear, type Schedule, withWarmup } from "../schedules/schedule.ts";

/** What recipes of networks that make images have in common. */
export interface AdamRecipe {
  optimizer: "adam" | "adamw";
  /** of weights; norms and biases are left out */
  weightDecay: number;
  schedule: "constant" | "linear" | "cosine";
  warmupEpochs: number;
}

/** Which optimizer moves which weights. */
export const adamGroups = ({ optimizer, weightDecay }: AdamRecipe): ParameterGroup[] =>
  weightsAndBiases(adam({ decoupled: optimizer === "adamw" }), { weightDecay });

export function adamSchedule({ schedule, warmupEpochs }: Pick<AdamRecipe, "schedule" | "warmupEpochs">): Schedule {
  const shapes = { constant, linear, cosine: cosine() };
  return warmupEpochs > 0 ? withWarmup(shapes[schedule], warmupEpochs) : shapes[schedule];
}
