/** What `sample`, `measure` and `publish` know of networks that make images, whatever they learned. */
import type { ImageDataset, ProgressEvent } from "@tfjs-zoo/datasets";
import { InputError } from "@tfjs-zoo/models";
import { type BitsMeasure, taskOfFile } from "@tfjs-zoo/training/node";
import { closest } from "fastest-levenshtein";
import { type Output, UsageError } from "../../context.ts";
import { weightsFile } from "../../target.ts";
import { autoencoderSource } from "./autoencoder.ts";
import { diffusionSource } from "./diffusion.ts";
import { ganSource } from "./gan.ts";

/** Flags that say how images are made; each means something to some networks. */
export interface MakerFlags {
  // of networks whose images come from a space
  show?: string;
  // of networks that are told classes
  class?: string;
  // of diffusion
  steps?: string;
  sampler?: string;
  guidance?: string;
}

/** A file of weights that make images, read and found to fit the flags; nothing is computed yet. */
export interface ImageSource {
  readonly info: {
    readonly model: string;
    /** the data set that it was trained on */
    readonly dataset: string;
    readonly inputShape: readonly [height: number, width: number, channels: number];
  };
  /** names of the classes that it is told, if it is told any */
  readonly classes?: readonly string[];
  /** Whether it takes images back to where they come from, so that there are reconstructions. */
  readonly readsImages?: boolean;
  /** how images are made, for programs */
  readonly facts: { readonly [name: string]: unknown };
  /** Whether `bits` of what it builds can be told. */
  readonly hasBits?: boolean;
  /** Builds the network: a backend has to run. */
  build(): ImageMaker;
}

/** A network that makes images. */
export interface ImageMaker {
  /**
   * Images in batches of any size: [images, height, width, channels], 0 to 1. They follow from the seed, not from how many
   * are asked for.
   *
   * @throws InputError where they are not finite
   */
  make(order: Order): AsyncGenerator<Float32Array>;
  /** The space that images come from, where there is one to walk in. */
  readonly latent?: LatentSpace;
  /** Bits per dimension that it takes for a data set's test images, where that can be told. */
  bits?(dataset: ImageDataset, output: Output): Promise<BitsMeasure>;
  /** What becomes of images [count, height, width, channels] on the way into that space and back. */
  reconstruct?(images: Float32Array, count: number): Promise<Float32Array>;
  dispose(): void;
}

export interface LatentSpace {
  /** numbers of a z, each N(0, 1) */
  readonly size: number;
  /** @param z [images][size]  @param labels [images], of a network that is told classes  @returns as `make` does */
  images(z: readonly number[][], labels?: readonly number[]): Promise<Float32Array>;
}

/** Images that are asked for. */
export interface Order {
  readonly count: number;
  readonly seed: number;
  /** [count], of a network that is told classes */
  readonly labels?: readonly number[];
  progress(event: ProgressEvent): void;
  /** Called after each step of images that come in several, and waited for. */
  onStep?(step: MadeStep): void | Promise<void>;
}

/** Images half made. */
export interface MadeStep {
  /** from 1 on, of so many */
  readonly step: number;
  readonly steps: number;
  /** the number of the first image */
  readonly first: number;
  /** as they are now, as `make` has them */
  images(): Promise<Float32Array>;
}

/** Tasks whose networks make images, and the flags that mean something to each. */
const makers = {
  autoencoding: { read: autoencoderSource, flags: ["show"] },
  adversarial: { read: ganSource, flags: ["show", "class"] },
  diffusion: { read: diffusionSource, flags: ["class", "steps", "sampler", "guidance"] },
} as const;

const allFlags = ["show", "class", "steps", "sampler", "guidance"] as const;

/** Whether networks of a task make images. */
export const makesImages = (task: string): task is keyof typeof makers => Object.hasOwn(makers, task);

/**
 * Reads what makes images: a run, a file or a pretrained name.
 *
 * @throws InputError for weights that make none  @throws UsageError for flags that do not fit them
 */
export async function imageSource(target: string, flags: MakerFlags): Promise<ImageSource> {
  const path = await weightsFile(target);
  const task = await taskOfFile(path);
  if (!makesImages(task)) {
    throw new InputError(`${target} makes no images: give weights of a network that does, such as a run of vae`);
  }
  const { read, flags: known } = makers[task];
  const given = allFlags.find((name) => flags[name] !== undefined && !(known as readonly string[]).includes(name));
  if (given) throw new UsageError(`--${given} means nothing to ${target}: leave it out`);
  return read(path, target, flags);
}

/**
 * The number of a class that is asked for by name or number.
 *
 * @throws UsageError where there is none, or the network is told none
 */
export function classAsked(asked: string, classes: readonly string[] | undefined, target: string): number {
  if (classes === undefined) {
    throw new UsageError(`--class ${asked}: ${target} was trained without classes: leave it out`);
  }
  const label = /^\d+$/.test(asked) && !classes.includes(asked) ? Number(asked) : classes.indexOf(asked);
  if (label >= 0 && label < classes.length) return label;
  // To guess at what number was meant would be of no help.
  const guess = Number.isFinite(Number(asked)) ? "" : ` did you mean "${closest(asked, [...classes])}"?`;
  throw new UsageError(
    `--class got "${asked}":${guess} (there are: ${classes.join(", ")}; or 0 to ${classes.length - 1})`,
  );
}

/** All images of an order: [count, height, width, channels], 0 to 1. */
export async function allImages(maker: ImageMaker, { info }: ImageSource, order: Order): Promise<Float32Array> {
  const [height, width, channels] = info.inputShape;
  const images = new Float32Array(order.count * height * width * channels);
  let at = 0;
  for await (const batch of maker.make(order)) {
    images.set(batch, at);
    at += batch.length;
  }
  return images;
}
