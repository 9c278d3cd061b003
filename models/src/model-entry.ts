import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Bert } from "./sequence/bert.ts";
import type { Decoder } from "./sequence/decoding/index.ts";

/** What a builder of an image classifier takes. */
export interface BuildOptions {
  /** name of the model */
  name?: string;
  /** [height, width, channels] */
  inputShape?: readonly [height: number, width: number, channels: number];
  classes?: number;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

/** What a builder of a language model takes. */
export interface LanguageModelOptions {
  /** name of the model */
  name?: string;
  /** tokens that there are */
  vocabulary?: number;
  /** the most tokens that it looks back on */
  context?: number;
  /** share of units that training drops */
  dropout?: number;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

/** What a builder of a translator takes. */
export interface TranslatorOptions {
  /** name of the model */
  name?: string;
  /** tokens of the language that is read, and of the one that is written */
  sourceVocabulary?: number;
  targetVocabulary?: number;
  /** share of units that training drops */
  dropout?: number;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

/** What a builder of a text encoder takes. */
export interface TextEncoderOptions {
  /** name of the model */
  name?: string;
  /** tokens that there are */
  vocabulary?: number;
  /** the most tokens of a text */
  context?: number;
  /** share of units that training drops */
  dropout?: number;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

/** A network that reads a sentence and writes another. */
export interface Translator {
  /**
   * [source ids int32 [batch, s], source lengths int32 [batch], target ids int32 [batch, t]] -> logits of the token after
   * each of the target [batch, t, target vocabulary]; it has all of the weights
   */
  readonly train: tfl.LayersModel;
  /**
   * A decoder that has read these sources; its `start` is the caller's to dispose.
   *
   * @param source ids int32 [rows, s]  @param lengths int32 [rows]
   */
  decoder(source: tf.Tensor, lengths: tf.Tensor): Decoder;
  /**
   * Where it looks in the source when it writes what comes after each token of a target that is given.
   *
   * @param source ids int32 [batch, s]  @param lengths int32 [batch]  @param target ids int32 [batch, t]
   * @returns [batch, layers, heads, t, s]: of each row its share for every token of the source, 0 in padding; rows sum to 1
   */
  attention(source: tf.Tensor, lengths: tf.Tensor, target: tf.Tensor): tf.Tensor5D;
  dispose(): void;
}

/** What a builder of a variational autoencoder takes. */
export interface VaeOptions {
  /** name of the model */
  name?: string;
  /** [height, width, channels] of pixels from 0 to 1 */
  inputShape?: readonly [height: number, width: number, channels: number];
  /** d: numbers of a z */
  latent?: number;
  /** what p(x|z) is for each pixel: a coin's (logits), or a normal distribution of one variance that is learned */
  likelihood?: Likelihood;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

export type Likelihood = "bernoulli" | "gaussian";

/** A variational autoencoder: graphs over the same layers. */
export interface Vae {
  /** images [batch, height, width, channels] -> μ and log σ² of q(z|x), both [batch, d] */
  readonly encode: tfl.LayersModel;
  /**
   * z [rows, d] -> the logits of p(x|z) [rows, height, width, channels]; of normal pixels the means, and log σ² [rows, 1]
   */
  readonly decode: tfl.LayersModel;
  /** [images, z] -> what both say; it has all of the weights */
  readonly train: tfl.LayersModel;
  /** d */
  readonly latent: number;
  readonly likelihood: Likelihood;
  dispose(): void;
}

interface Entry {
  readonly name: string;
  readonly family: string;
  /** one line: what it is */
  readonly summary: string;
  /** trainable parameters with the default options */
  readonly params: number;
  /** multiply-adds of convolutions, dense layers and attention for one input, with the default options */
  readonly macs: number;
}

/** An image classifier of the zoo: images -> logits [batch, classes]. */
export interface ClassifierEntry extends Entry {
  readonly task: "classification";
  /** [height, width, channels] */
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  /** How published weights had images normalised (pixels of 0..1), where that is not as usual for ImageNet. */
  readonly normalisation?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** Builds the network with fresh weights. */
  build(options?: BuildOptions): tfl.LayersModel;
  /** Builds a small network by the same code, for the checks: where the network itself is large. */
  narrow?(options?: BuildOptions): tfl.LayersModel;
}

/** A language model of the zoo: ids of tokens [batch, time] -> logits of the token after each [batch, time, vocabulary]. */
export interface LanguageModelEntry extends Entry {
  readonly task: "language-modelling";
  readonly vocabulary: number;
  /** the most tokens that it looks back on; one input is so many */
  readonly context: number;
  /** The configuration in which benchmarks train it: that of the peers. */
  readonly benchmark: { vocabulary: number; context: number; options: object };
  /** Builds the network with fresh weights. */
  build(options?: LanguageModelOptions): tfl.LayersModel;
  /** Builds a small network by the same code, for the checks. */
  narrow(options?: LanguageModelOptions): tfl.LayersModel;
}

/** A network of the zoo that translates; one input is a source and a target of `tokens` each. */
export interface TranslatorEntry extends Entry {
  readonly task: "translation";
  /** of either language, with the default options */
  readonly vocabulary: number;
  readonly tokens: number;
  /** Whether both languages share one vocabulary. */
  readonly joint: boolean;
  /** The configuration in which benchmarks train it: that of the peers. */
  readonly benchmark: { vocabulary: number; tokens: number; options: object };
  /** Builds the network with fresh weights. */
  build(options?: TranslatorOptions): Translator;
  /** Builds a small network by the same code, for the checks. */
  narrow(options?: TranslatorOptions): Translator;
}

/**
 * A network of the zoo that reads a text from both sides: it learns from text alone to find hidden words and to tell what
 * follows, and then whatever there are labels for. Multiply-adds are of the encoder, for a text of a full context.
 */
export interface TextEncoderEntry extends Entry {
  readonly task: "masked-language-modelling";
  readonly vocabulary: number;
  /** the most tokens of a text */
  readonly context: number;
  /** Builds the network with fresh weights. */
  build(options?: TextEncoderOptions): Bert;
  /** Builds a small network by the same code, for the checks. */
  narrow(options?: TextEncoderOptions): Bert;
  /** Builds the network with a layer for classes in place of what it learns from text alone; as `bertClassifier`. */
  classifier(options: TextEncoderOptions & { classes: number }): tfl.LayersModel;
}

/** A network of the zoo that says where in a small space an image may come from, and makes images of places there. */
export interface AutoencoderEntry extends Entry {
  readonly task: "autoencoding";
  /** [height, width, channels] */
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** numbers of a z */
  readonly latent: number;
  /** Builds the network with fresh weights. */
  build(options?: VaeOptions): Vae;
  /** Builds a small network by the same code, for the checks. */
  narrow(options?: VaeOptions): Vae;
}

/** What a builder of a network that takes noise away takes. */
export interface DiffusionOptions {
  /** name of the model */
  name?: string;
  /** [height, width, channels] of pixels from −1 to 1 */
  inputShape?: readonly [height: number, width: number, channels: number];
  /** classes that it is told; none unless given */
  classes?: number;
  /** share of units that training drops */
  dropout?: number;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

/**
 * A network of the zoo that takes noise away: [images, times int32 [batch], classes int32 [batch] where it is told any] -> its
 * prediction, in the shape of the images. Multiply-adds are of one step.
 */
export interface DiffusionEntry extends Entry {
  readonly task: "diffusion";
  /** [height, width, channels] */
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** Builds the network with fresh weights. */
  build(options?: DiffusionOptions): tfl.LayersModel;
  /** Builds a small network by the same code, for the checks. */
  narrow(options?: DiffusionOptions): tfl.LayersModel;
}

/** What a builder of a GAN takes. */
export interface GanOptions {
  /** name of the model */
  name?: string;
  /** [height, width, channels] of pixels from −1 to 1 */
  imageShape?: readonly [height: number, width: number, channels: number];
  /** d: numbers of a z */
  latent?: number;
  /** classes that both networks are told; none unless given */
  classes?: number;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

/** A generative adversarial network. */
export interface Gan {
  /** z [batch, d], and classes int32 [batch] where it is told any -> images [batch, height, width, channels] from −1 to 1 */
  readonly generator: tfl.LayersModel;
  /** such images, and such classes -> scores [batch, 1]: the more, the more they seem real */
  readonly discriminator: tfl.LayersModel;
  /** d */
  readonly latent: number;
  readonly classes: number | undefined;
  dispose(): void;
}

/** A GAN of the zoo; its parameters and multiply-adds are the generator's, which makes images alone. */
export interface GanEntry extends Entry {
  readonly task: "adversarial";
  /** [height, width, channels] */
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** numbers of a z */
  readonly latent: number;
  readonly discriminator: { readonly params: number; readonly macs: number };
  /** Whether the discriminator scores each image by itself, as the gradient penalty needs it: without batch norm. */
  readonly scoresAlone: boolean;
  /** the recipe that it is trained by unless another is given */
  readonly recipe: "dcgan" | "wgan-gp" | "wgan" | "hinge";
  /** Builds the networks with fresh weights. */
  build(options?: GanOptions): Gan;
  /** Builds small networks by the same code, for the checks. */
  narrow(options?: GanOptions): Gan;
}

/** One network of the zoo. */
export type ModelEntry =
  | ClassifierEntry
  | LanguageModelEntry
  | TranslatorEntry
  | TextEncoderEntry
  | AutoencoderEntry
  | DiffusionEntry
  | GanEntry;

export function classifier(entry: Omit<ClassifierEntry, "task">): ClassifierEntry {
  return { task: "classification", ...entry };
}

export function languageModel(entry: Omit<LanguageModelEntry, "task">): LanguageModelEntry {
  return { task: "language-modelling", ...entry };
}

export function translator(entry: Omit<TranslatorEntry, "task">): TranslatorEntry {
  return { task: "translation", ...entry };
}

export function textEncoder(entry: Omit<TextEncoderEntry, "task">): TextEncoderEntry {
  return { task: "masked-language-modelling", ...entry };
}

export function autoencoder(entry: Omit<AutoencoderEntry, "task">): AutoencoderEntry {
  return { task: "autoencoding", ...entry };
}

export function denoiser(entry: Omit<DiffusionEntry, "task">): DiffusionEntry {
  return { task: "diffusion", ...entry };
}

export function gan(entry: Omit<GanEntry, "task">): GanEntry {
  return { task: "adversarial", ...entry };
}
