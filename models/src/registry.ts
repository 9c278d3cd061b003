import type * as tfl from "@tensorflow/tfjs-layers";
import { closest } from "fastest-levenshtein";
import { InputError } from "./errors.ts";
import { gans } from "./generative/gan.ts";
import { unets } from "./generative/unet.ts";
import { vaes } from "./generative/vae.ts";
import type {
  AutoencoderEntry,
  BuildOptions,
  ClassifierEntry,
  DiffusionEntry,
  GanEntry,
  LanguageModelEntry,
  ModelEntry,
  TextEncoderEntry,
  TranslatorEntry,
} from "./model-entry.ts";
import { berts } from "./sequence/bert.ts";
import { gpts } from "./sequence/gpt.ts";
import { seq2seqs } from "./sequence/seq2seq.ts";
import { t5s } from "./sequence/t5.ts";
import { transformers } from "./sequence/transformer.ts";
import { airbenches } from "./vision/airbench.ts";
import { alexnets } from "./vision/alexnet.ts";
import { convnexts } from "./vision/convnext.ts";
import { densenets } from "./vision/densenet.ts";
import { firstSteps } from "./vision/first-steps.ts";
import { inceptions } from "./vision/inception.ts";
import { lenets } from "./vision/lenet.ts";
import { mixers } from "./vision/mlp-mixer.ts";
import { preactResnetsCifar } from "./vision/preact-resnet-cifar.ts";
import { resnets } from "./vision/resnet.ts";
import { resnetsCifar } from "./vision/resnet-cifar.ts";
import { vggs } from "./vision/vgg.ts";
import { vits } from "./vision/vit.ts";

/** The image classifiers of the zoo, by name. */
export const classifiers: ReadonlyMap<string, ClassifierEntry> = byName([
  ...firstSteps,
  ...lenets,
  ...alexnets,
  ...vggs,
  ...resnetsCifar,
  ...preactResnetsCifar,
  ...resnets,
  ...densenets,
  ...inceptions,
  ...vits,
  ...mixers,
  ...convnexts,
  ...airbenches,
]);

/** The language models of the zoo, by name. */
export const languageModels: ReadonlyMap<string, LanguageModelEntry> = byName([...gpts]);

/** The translators of the zoo, by name. */
export const translators: ReadonlyMap<string, TranslatorEntry> = byName([...seq2seqs, ...transformers, ...t5s]);

/** The text encoders of the zoo, by name. */
export const textEncoders: ReadonlyMap<string, TextEncoderEntry> = byName([...berts]);

/** The variational autoencoders of the zoo, by name. */
export const autoencoders: ReadonlyMap<string, AutoencoderEntry> = byName([...vaes]);

/** The networks of the zoo that take noise away, by name. */
export const denoisers: ReadonlyMap<string, DiffusionEntry> = byName([...unets]);

/** The generative adversarial networks of the zoo, by name. */
export const adversaries: ReadonlyMap<string, GanEntry> = byName([...gans]);

/** Every network of the zoo, by name. */
export const registry: ReadonlyMap<string, ModelEntry> = new Map<string, ModelEntry>([
  ...classifiers,
  ...languageModels,
  ...translators,
  ...textEncoders,
  ...autoencoders,
  ...denoisers,
  ...adversaries,
]);

/** @throws InputError for an unknown name, with the nearest known one */
export function findModel(name: string): ModelEntry {
  const entry = registry.get(name);
  if (entry === undefined) {
    const names = [...registry.keys()];
    throw new InputError(
      `unknown model "${name}": did you mean "${closest(name, names)}"? (known: ${names.join(", ")})`,
    );
  }
  return entry;
}

/** @throws InputError for an unknown name, and for a network that is no image classifier */
export function findClassifier(name: string): ClassifierEntry {
  const entry = findModel(name);
  if (entry.task === "classification") return entry;
  throw new InputError(
    `${name} is ${purposes[entry.task]}, and an image classifier is expected here (${[...classifiers.keys()].join(", ")})`,
  );
}

/** What networks are, that are no image classifiers. */
const purposes: { readonly [T in Exclude<ModelEntry["task"], "classification">]: string } = {
  "language-modelling": "for text",
  translation: "for text",
  "masked-language-modelling": "for text",
  autoencoding: "an autoencoder",
  diffusion: "a network of diffusion",
  adversarial: "a GAN",
};

/** @throws InputError for an unknown name, and for a network that is no language model */
export function findLanguageModel(name: string): LanguageModelEntry {
  const entry = findModel(name);
  if (entry.task === "language-modelling") return entry;
  throw new InputError(
    `${name} is no language model, and one is expected here (${[...languageModels.keys()].join(", ")})`,
  );
}

/** @throws InputError for an unknown name, and for a network that does not translate */
export function findTranslator(name: string): TranslatorEntry {
  const entry = findModel(name);
  if (entry.task === "translation") return entry;
  throw new InputError(
    `${name} does not translate, and a network that does is expected here (${[...translators.keys()].join(", ")})`,
  );
}

/** @throws InputError for an unknown name, and for a network that is no text encoder */
export function findTextEncoder(name: string): TextEncoderEntry {
  const entry = findModel(name);
  if (entry.task === "masked-language-modelling") return entry;
  throw new InputError(`${name} is no text encoder, and one is expected here (${[...textEncoders.keys()].join(", ")})`);
}

/** @throws InputError for an unknown name, and for a network that is no variational autoencoder */
export function findAutoencoder(name: string): AutoencoderEntry {
  const entry = findModel(name);
  if (entry.task === "autoencoding") return entry;
  throw new InputError(
    `${name} is no variational autoencoder, and one is expected here (${[...autoencoders.keys()].join(", ")})`,
  );
}

/** @throws InputError for an unknown name, and for a network that does not take noise away */
export function findDenoiser(name: string): DiffusionEntry {
  const entry = findModel(name);
  if (entry.task === "diffusion") return entry;
  throw new InputError(
    `${name} is no network of diffusion, and one is expected here (${[...denoisers.keys()].join(", ")})`,
  );
}

/** @throws InputError for an unknown name, and for a network that is no GAN */
export function findGan(name: string): GanEntry {
  const entry = findModel(name);
  if (entry.task === "adversarial") return entry;
  throw new InputError(`${name} is no GAN, and one is expected here (${[...adversaries.keys()].join(", ")})`);
}

/** Builds an image classifier by name, with fresh weights. */
export function createModel(name: string, options: BuildOptions = {}): tfl.LayersModel {
  return findClassifier(name).build(options);
}

function byName<E extends { name: string }>(entries: readonly E[]): ReadonlyMap<string, E> {
  return new Map(entries.map((entry) => [entry.name, entry]));
}
