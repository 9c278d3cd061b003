import { countParams, type DiffusionEntry, noiseSchedule } from "@tfjs-zoo/models";
import { Trainer, type Within } from "../loop/trainer.ts";
import { adam, weightsAndBiases } from "../optim/index.ts";
import { diffusion } from "../tasks/diffusion.ts";
import { noise } from "./noise.ts";
import type { Workload } from "./other-workload.ts";

/** The peers' learning rate; it costs nothing. */
const learningRate = 1e-3;

/** Training steps of a network of diffusion on a batch of noise. */
export function diffusionWorkload(entry: DiffusionEntry, size: number, within?: Within): Workload {
  const model = entry.build({ dropout: 0, seed: 0 });
  const trainer = new Trainer(diffusion(model, entry.inputShape, { schedule: noiseSchedule() }), {
    groups: weightsAndBiases(adam(), { weightDecay: 0 }),
    within,
    seed: 0,
  });
  const batch = noise(entry.inputShape, 1, size);
  return {
    params: countParams(model),
    items: size,
    step: async () => (await trainer.takeStep([batch], learningRate)).loss,
  };
}
