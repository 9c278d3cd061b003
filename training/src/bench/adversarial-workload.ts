import { countParams, type GanEntry } from "@tfjs-zoo/models";
import { Trainer, type Within } from "../loop/trainer.ts";
import { type GanRecipe, ganGroups, ganRecipes } from "../recipes/gan-recipe.ts";
import { adversarial } from "../tasks/adversarial.ts";
import { noise } from "./noise.ts";
import type { Workload } from "./other-workload.ts";

/** Training steps of a GAN by its own recipe on a batch of noise: one of the discriminator and one of the generator. */
export function adversarialWorkload(entry: GanEntry, size: number, within?: Within): Workload {
  const recipe: GanRecipe = { ...ganRecipes[entry.recipe], discriminatorSteps: 1 };
  const gan = entry.build({ seed: 0 });
  const groups = ganGroups(recipe, gan);
  const trainer = new Trainer(adversarial(gan, entry.inputShape, recipe), { groups, within, seed: 0 });
  const batch = noise(entry.inputShape, 1, size);
  return {
    params: countParams(gan.generator) + countParams(gan.discriminator),
    items: size,
    step: async () => (await trainer.takeStep([batch], recipe.learningRate)).loss,
  };
}
