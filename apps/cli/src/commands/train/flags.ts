import { flagOf } from "@tfjs-zoo/training/node";
import { type CommonFlags, UsageError } from "../../context.ts";

/** The flags of `zoo train`: those of every training, and those that only some networks know. */
export interface TrainFlags extends CommonFlags {
  recipe?: string;
  dataset?: string;
  seed: string;
  run?: string;
  runs: string;
  resume?: string;
  checkpointEvery: string;
  precision: string;
  // of image classifiers
  init?: string;
  freeze?: string;
  teacher?: string;
  full?: boolean;
  minutes?: string;
  // of networks of text
  context?: string;
  tokenizer?: string;
  vocabulary?: string;
  direction?: string;
  // of autoencoders
  latent?: string;
  likelihood?: string;
  [recipeField: string]: unknown;
}

/** @throws UsageError for a flag that means nothing to the network */
export function refuseOthers(flags: TrainFlags, others: readonly string[], model: string): void {
  const given = others.find((name) => flags[name] !== undefined);
  if (given !== undefined) throw new UsageError(`--${flagOf(given)} means nothing to ${model}: leave it out`);
}
