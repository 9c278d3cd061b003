import type { ClassifierEntry, ModelEntry } from "@tfjs-zoo/models";
import type { Within } from "../loop/trainer.ts";
import { adversarialWorkload } from "./adversarial-workload.ts";
import { autoencoderWorkload } from "./autoencoder-workload.ts";
import { diffusionWorkload } from "./diffusion-workload.ts";
import { textWorkload } from "./text-workload.ts";

/** Training steps of a network in the configuration that the peers have, on a batch of noise. */
export interface Workload {
  /** trainable parameters */
  params: number;
  /** images or tokens in a step; of a translator, of its targets */
  items: number;
  step(): Promise<number>;
}

/** The workload of a network that is no image classifier. */
export function otherWorkload(entry: Exclude<ModelEntry, ClassifierEntry>, size: number, within?: Within): Workload {
  if (entry.task === "autoencoding") return autoencoderWorkload(entry, size, within);
  if (entry.task === "adversarial") return adversarialWorkload(entry, size, within);
  return entry.task === "diffusion" ? diffusionWorkload(entry, size, within) : textWorkload(entry, size, within);
}
