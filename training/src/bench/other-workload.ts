import type { ClassifierEntry, ModelEntry } from "@tfjs-zoo/models";
import type { Within } from "../loop/trainer.ts";
import { autoencoderWorkload } from "./autoencoder-workload.ts";
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
export const otherWorkload = (entry: Exclude<ModelEntry, ClassifierEntry>, size: number, within?: Within): Workload =>
  entry.task === "autoencoding" ? autoencoderWorkload(entry, size, within) : textWorkload(entry, size, within);
