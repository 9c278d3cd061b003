import type { Documents } from "./documents.ts";

/** A stream of random numbers. */
export interface Random {
  /** A number in [0, 1). */
  uniform(): number;
  /** An integer in [0, n). */
  integer(n: number): number;
}

/** A source of independent streams, injected by the trainer: an equal path gives an equal stream. */
export type RandomSource = (...path: (string | number)[]) => Random;

/** Images of one set, all of one shape; pixels 0..255, stored [height, width, channels]. */
export interface ImageSet {
  readonly count: number;
  readonly shape: readonly [height: number, width: number, channels: number];
  /** [count] */
  readonly labels: Uint16Array;
  /** Copies images `indices` into `into` [indices.length, height, width, channels]; a promise when they must be decoded first. */
  read(indices: ArrayLike<number>, into: Uint8Array): void | Promise<void>;
}

/** A data set of labelled images with its usual split and normalisation. */
export interface ImageDataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly shape: readonly [height: number, width: number, channels: number];
  /** Per channel, of the training pixels scaled to 0..1. */
  readonly mean: readonly number[];
  /** Per channel, of the training pixels scaled to 0..1. */
  readonly std: readonly number[];
  readonly train: ImageSet;
  readonly test: ImageSet;
  /** What was done to the pictures that whoever gave them may not expect, in a line. */
  readonly note?: string;
}

/** What a network is fed: one step's images and labels. */
export interface Batch {
  /** [size, height, width, channels], normalised. */
  images: Float32Array;
  /** [size] */
  labels: Int32Array;
  size: number;
  /** [size], positions in the set that the batch was drawn from. */
  indices: Int32Array;
  /** Where each image is mixed with another: the other's labels [size], and the share of the first. */
  mixed?: { labels: Int32Array; share: number };
}

/** How far a long operation has come; `total` is absent where it is not known. */
export interface ProgressEvent {
  label: string;
  done: number;
  total?: number;
  unit: "bytes" | "items";
}

export type Progress = (event: ProgressEvent) => void;

/** Running text for a language model. */
export interface TextDataset {
  readonly name: string;
  readonly train: string;
  /** What follows the training text, held out. */
  readonly validation: string;
}

/** Sentences and what they mean in another language: `target[i]` translates `source[i]`. */
export interface SentencePairs {
  readonly source: readonly string[];
  readonly target: readonly string[];
}

/** A data set for translation, or of other texts that become texts. */
export interface PairDataset {
  readonly name: string;
  /** Of the language that is translated from: "de"; or what its texts are: "question". */
  readonly source: string;
  /** Of the language that is translated into: "en". */
  readonly target: string;
  /** What its test is measured by beside BLEU: whether answers are right, or how much of a summary is there. */
  readonly metric?: "exact-match" | "rouge-l";
  readonly train: SentencePairs;
  readonly validation: SentencePairs;
  readonly test: SentencePairs;
}

/** Documents to learn sentences from, and what follows them. */
export interface DocumentDataset {
  readonly name: string;
  /** Groups of documents that are alike: a sentence of one could stand in the same place of another. */
  readonly train: readonly Documents[];
  /** Held out. */
  readonly validation: readonly Documents[];
}

/** Texts, and the class of each. */
export interface LabelledTexts {
  readonly texts: readonly string[];
  /** [texts], places in the list of classes */
  readonly labels: Int32Array;
}

/** A data set of labelled texts. */
export interface LabelledTextDataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly train: LabelledTexts;
  readonly validation: LabelledTexts;
  readonly test: LabelledTexts;
}

/** What a language model is fed: in every row a token is to be predicted from those before it. */
export interface TokenBatch {
  /** [size, length]; a model that sees `context` tokens is given length = context + 1, inputs and their successors. */
  tokens: Int32Array;
  size: number;
  length: number;
}

/** What a translation network is fed. Rows are as long as the longest of the batch; shorter ones end in padding. */
export interface PairBatch {
  /** [size, s] */
  source: Int32Array;
  /** [size], tokens of each source without its padding */
  sourceLengths: Int32Array;
  /** [size, t]; each begins with bos and ends with eos */
  target: Int32Array;
  /** [size], tokens of each target without its padding, bos and eos among them */
  targetLengths: Int32Array;
  size: number;
  /** [size], the places of the pairs in their set */
  indices: Int32Array;
}

/**
 * What BERT is fed to learn from text: two sentences a row, with hidden words. Rows are as long as the longest of the
 * batch, and have as many places as the one with most hidden words.
 */
export interface MaskedBatch {
  size: number;
  /** [size, tokens], padded */
  ids: Int32Array;
  /** 0 up to the first `[SEP]`, 1 behind it, [size, tokens] */
  types: Int32Array;
  /** [size], tokens of each row without its padding */
  lengths: Int32Array;
  /** of hidden words, [size, hidden], 0 in padding */
  places: Int32Array;
  /** what stood there, [size, hidden], −1 in padding */
  words: Int32Array;
  /** [size]: whether the second sentence followed the first (0), or is another's (1) */
  next: Int32Array;
}

/** What a classifier of texts is fed. Rows are as long as the longest of the batch; shorter ones end in padding. */
export interface LabelledTextBatch {
  size: number;
  /** [size, tokens], padded */
  ids: Int32Array;
  /** [size], tokens of each text without its padding */
  lengths: Int32Array;
  /** [size] */
  labels: Int32Array;
}

/** Batches by the epoch. An epoch can be entered at any batch, and gives the same batches every time. */
export interface Epochs<Batch> {
  readonly batchesPerEpoch: number;
  epoch(epoch: number, firstBatch?: number): AsyncIterable<Batch>;
}
