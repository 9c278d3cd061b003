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
