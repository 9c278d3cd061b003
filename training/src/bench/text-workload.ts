import type { MaskedBatch, PairBatch, TokenBatch } from "@tfjs-zoo/datasets";
import {
  countParams,
  type LanguageModelEntry,
  type Random,
  randomStream,
  type TextEncoderEntry,
  type TranslatorEntry,
} from "@tfjs-zoo/models";
import { Trainer, type Within } from "../loop/trainer.ts";
import { adam, weightsAndBiases } from "../optim/index.ts";
import { languageModelling } from "../tasks/language-modelling.ts";
import { maskedLanguage } from "../tasks/masked-language.ts";
import { translation } from "../tasks/translation.ts";
import type { Workload } from "./other-workload.ts";

/** The peers' learning rate; it costs nothing. */
const learningRate = 1e-3;

/** Training steps of a network of text, in the configuration that the peers have, on a batch of random tokens. */
export function textWorkload(
  entry: LanguageModelEntry | TranslatorEntry | TextEncoderEntry,
  size: number,
  within?: Within,
): Workload {
  if (entry.task === "masked-language-modelling") return encoderWorkload(entry, size, within);
  return entry.task === "translation" ? translatorWorkload(entry, size, within) : writerWorkload(entry, size, within);
}

function writerWorkload(entry: LanguageModelEntry, size: number, within?: Within): Workload {
  const { options, vocabulary, context } = entry.benchmark;
  const model = entry.build({ ...options, vocabulary, context, seed: 0 });
  const trainer = new Trainer(languageModelling(model), {
    groups: weightsAndBiases(adam({ decoupled: true }), { weightDecay: 0.01 }),
    within,
    seed: 0,
  });
  const length = context + 1;
  const batch: TokenBatch = { tokens: randomIds(randomStream(0, "bench"), vocabulary, size * length), size, length };
  return {
    params: countParams(model),
    items: size * context,
    step: async () => (await trainer.takeStep([batch], learningRate)).loss,
  };
}

/** Texts of a full context, of which as many words are hidden as in training. */
function encoderWorkload(entry: TextEncoderEntry, size: number, within?: Within): Workload {
  const { vocabulary, context } = entry;
  const network = entry.build({ seed: 0 });
  const groups = weightsAndBiases(adam({ decoupled: true }), { weightDecay: 0.01 });
  const trainer = new Trainer(maskedLanguage(network), { groups, within, seed: 0 });
  const random = randomStream(0, "bench");
  const hidden = Math.round(0.15 * context);
  const batch: MaskedBatch = {
    size,
    ids: randomIds(random, vocabulary, size * context),
    types: new Int32Array(size * context),
    lengths: new Int32Array(size).fill(context),
    places: randomIds(random, context, size * hidden),
    words: randomIds(random, vocabulary, size * hidden),
    next: randomIds(random, 2, size),
  };
  return {
    params: countParams(network.pretrain),
    items: size * context,
    step: async () => (await trainer.takeStep([batch], learningRate)).loss,
  };
}

function translatorWorkload(entry: TranslatorEntry, size: number, within?: Within): Workload {
  const { options, vocabulary, tokens } = entry.benchmark;
  const sizes = { sourceVocabulary: vocabulary, targetVocabulary: vocabulary };
  const translator = entry.build({ ...options, ...sizes, seed: 0 });
  const trainer = new Trainer(translation(translator), { groups: weightsAndBiases(adam()), within, seed: 0 });
  const random = randomStream(0, "bench");
  const batch: PairBatch = {
    source: randomIds(random, vocabulary, size * tokens),
    sourceLengths: new Int32Array(size).fill(tokens),
    target: randomIds(random, vocabulary, size * (tokens + 1)),
    targetLengths: new Int32Array(size).fill(tokens + 1),
    size,
    indices: Int32Array.from({ length: size }, (_, i) => i),
  };
  return {
    params: countParams(translator.train),
    items: size * tokens,
    step: async () => (await trainer.takeStep([batch], learningRate)).loss,
  };
}

const randomIds = (random: Random, vocabulary: number, count: number): Int32Array =>
  Int32Array.from({ length: count }, () => random.integer(vocabulary));
