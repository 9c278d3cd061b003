import type { SamplerName } from "@tfjs-zoo/models";
import type { Backend } from "../shared/backend-name.ts";
import type { Pretrained } from "../shared/pretrained.ts";

/** [height, width, channels] */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** What the page knows of a network that makes images of z. */
export interface GeneratorFacts {
  /** numbers of a z */
  latent: number;
  shape: ImageShape;
  classes?: readonly string[];
  /** whether it can tell where an image lies */
  encodes: boolean;
}

/** A question to a network that makes images of z. The entry's file has an absolute address. */
export type GeneratorOrder = { id: number; entry: Pretrained; backend: Backend } & GeneratorQuestion;

export type GeneratorQuestion =
  | { kind: "open" }
  /** images of z [n · d]; `label` is a class, of one that knows any */
  | { kind: "make"; z: Float32Array; label?: number }
  /** where images lie: values [n · height · width · channels], 0 to 1 */
  | { kind: "encode"; images: Float32Array };

export type GeneratorReport =
  | { kind: "state"; text: string }
  | { kind: "opened"; id: number; facts: GeneratorFacts }
  /** what was made, or where it lies */
  | { kind: "values"; id: number; values: Float32Array }
  | { kind: "problem"; id: number; text: string };

/** How images come out of noise. */
export interface Sampling {
  sampler: SamplerName;
  steps: number;
  images: number;
  seed: number;
  /** the class of each image, of a network that is told any */
  labels?: number[];
  /** of the classes: 0 and more */
  guidance: number;
}

export interface SamplingOrder {
  entry: Pretrained;
  backend: Backend;
  sampling: Sampling;
}

/** Images after a step: bytes [images · height · width · channels]. */
export interface Frame {
  /** steps taken, from 1 on */
  step: number;
  /** the time that the step came from, an index of the noise schedule */
  t: number;
  /** what there is */
  now: Uint8ClampedArray;
  /** what the network takes the image to be */
  seen: Uint8ClampedArray;
}

export type SamplingReport =
  | { kind: "state"; text: string }
  | { kind: "begun"; shape: ImageShape }
  | { kind: "frame"; frame: Frame; secondsLeft: number }
  /** of the steps alone */
  | { kind: "finished"; seconds: number }
  | { kind: "problem"; text: string };
