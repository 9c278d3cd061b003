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
  // of autoencoders and GANs
  latent?: string;
  likelihood?: string;
  // of GANs
  conditional?: boolean;
  // of networks of diffusion
  unconditional?: boolean;
  [recipeField: string]: unknown;
}

/** What only some networks know; recipes' fields are checked by their recipe. */
const special = [
  "init",
  "freeze",
  "teacher",
  "full",
  "minutes",
  "context",
  "tokenizer",
  "vocabulary",
  "direction",
  "latent",
  "likelihood",
  "conditional",
  "unconditional",
] as const;

/** @throws UsageError for a flag that means nothing to the network, which knows these of the special ones */
export function refuseOthers(flags: TrainFlags, known: readonly (typeof special)[number][], model: string): void {
  const given = special.find((name) => flags[name] !== undefined && !known.includes(name));
  if (given !== undefined) throw new UsageError(`--${flagOf(given)} means nothing to ${model}: leave it out`);
}
