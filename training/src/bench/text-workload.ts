import type { TokenBatch } from "@tfjs-zoo/datasets";
import { countParams, type LanguageModelEntry, randomStream } from "@tfjs-zoo/models";
import { Trainer, type Within } from "../loop/trainer.ts";
import { adam, weightsAndBiases } from "../optim/index.ts";
import { languageModelling } from "../tasks/language-modelling.ts";

/** Training steps of a language model, in the configuration that the peers have, on a batch of random tokens. */
export interface TextWorkload {
  /** trainable parameters */
  params: number;
  /** tokens in a step */
  items: number;
  step(): Promise<number>;
}

/** The peers' learning rate; it costs nothing. */
const learningRate = 1e-3;

export function textWorkload(entry: LanguageModelEntry, size: number, within?: Within): TextWorkload {
  const { options, vocabulary, context } = entry.benchmark;
  const model = entry.build({ ...options, vocabulary, context, seed: 0 });
  const trainer = new Trainer(languageModelling(model), {
    groups: weightsAndBiases(adam({ decoupled: true }), { weightDecay: 0.01 }),
    within,
    seed: 0,
  });
  const stream = randomStream(0, "bench");
  const length = context + 1;
  const tokens = Int32Array.from({ length: size * length }, () => stream.integer(vocabulary));
  const batch: TokenBatch = { tokens, size, length };
  return {
    params: countParams(model),
    items: size * context,
    step: async () => (await trainer.takeStep([batch], learningRate)).loss,
  };
}
