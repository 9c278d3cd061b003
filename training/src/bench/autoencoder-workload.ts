import { type AutoencoderEntry, countParams } from "@tfjs-zoo/models";
import { Trainer, type Within } from "../loop/trainer.ts";
import { adam, weightsAndBiases } from "../optim/index.ts";
import { autoencoding } from "../tasks/autoencoding.ts";
import { noise } from "./noise.ts";
import type { Workload } from "./other-workload.ts";

/** The peers' learning rate; it costs nothing. */
const learningRate = 1e-3;

/** Training steps of an autoencoder on a batch of grey noise. */
export function autoencoderWorkload(entry: AutoencoderEntry, size: number, within?: Within): Workload {
  const vae = entry.build({ seed: 0 });
  const { inputShape: shape } = entry;
  const trainer = new Trainer(autoencoding(vae, { shape }), {
    groups: weightsAndBiases(adam(), { weightDecay: 0 }),
    within,
    seed: 0,
  });
  const batch = noise(shape, 1, size);
  batch.images.forEach((pixel, i) => {
    batch.images[i] = 1 / (1 + Math.exp(-pixel)); // from 0 to 1
  });
  return {
    params: countParams(vae.train),
    items: size,
    step: async () => (await trainer.takeStep([batch], learningRate)).loss,
  };
}
