/**
 * RandAugment (Cubuk, Zoph, Shlens & Le 2020, "RandAugment: practical automated data augmentation with a reduced search
 * space", sec. 3): N operations in a row, each drawn from the same list with equal probability, all of one magnitude M.
 *
 * What an operation does at a magnitude is as in torchvision's RandAugment on PIL images, to the byte: nearest pixels,
 * black where there is nothing, means and blends rounded as Pillow rounds them.
 */
import { Canvas } from "./canvas.ts";
import type { ImageSet, Random } from "./types.ts";

export interface RandAugment {
  /** N, operations an image */
  operations: number;
  /** M, 0 to 30 */
  magnitude: number;
}

const LARGEST_MAGNITUDE = 30;

interface Operation {
  /** Whether it goes in two directions, one of which is drawn. */
  signed?: boolean;
  /** @param m magnitude as a share of the largest, 0 to 1; negative for the other direction */
  apply(canvas: Canvas, m: number): void;
}

/** The list of the paper's sec. 3.1, with what each does at the largest magnitude. */
export const operations: { readonly [name: string]: Operation } = {
  identity: { apply: () => {} },
  autocontrast: { apply: autocontrast },
  equalize: { apply: equalize },
  /** 30° */
  rotate: { signed: true, apply: (canvas, m) => rotate(canvas, (30 * m * Math.PI) / 180) },
  /** all pixels are mirrored at 0 */
  solarize: { apply: (canvas, m) => canvas.map((value) => (value < 255 - 255 * m ? value : 255 - value)) },
  /** from no colour nearly to twice the colour */
  color: { signed: true, apply: (canvas, m) => blendWithGrey(canvas, 1 + 0.9 * m) },
  /** 4 bits of 8 are left */
  posterize: { apply: (canvas, m) => canvas.map((value) => value & (0xff << Math.round(4 * m))) },
  contrast: { signed: true, apply: (canvas, m) => blendWithMean(canvas, 1 + 0.9 * m) },
  brightness: { signed: true, apply: (canvas, m) => canvas.map((value) => blend(0, value, 1 + 0.9 * m)) },
  /** from nearly the smoothed image to as far beyond the image itself */
  sharpness: { signed: true, apply: (canvas, m) => blendWithSmoothed(canvas, 1 + 0.9 * m) },
  /** 0.3 pixels a pixel */
  "shear-x": { signed: true, apply: (canvas, m) => canvas.affine(1, 0.3 * m, 0, 0, 1, 0) },
  "shear-y": { signed: true, apply: (canvas, m) => canvas.affine(1, 0, 0, 0.3 * m, 1, 0) },
  /** 150 pixels of 331 */
  "translate-x": {
    signed: true,
    apply: (canvas, m) => canvas.affine(1, 0, -Math.trunc((150 / 331) * canvas.width * m), 0, 1, 0),
  },
  "translate-y": {
    signed: true,
    apply: (canvas, m) => canvas.affine(1, 0, 0, 0, 1, -Math.trunc((150 / 331) * canvas.height * m)),
  },
};

const list = Object.values(operations);

/** Changes one image, `pixels` [height, width, channels] from an offset on, in place. */
export type Distortion = (pixels: Uint8Array, offset: number, random: Random) => void;

/** @returns a function that makes no array, however many images it is given */
export function randAugment(shape: ImageSet["shape"], { operations: count, magnitude }: RandAugment): Distortion {
  const canvas = new Canvas(shape);
  const m = magnitude / LARGEST_MAGNITUDE;
  return (pixels, offset, random) => {
    canvas.load(pixels, offset);
    for (let n = 0; n < count; n++) {
      const { signed, apply } = list[random.integer(list.length)];
      apply(canvas, signed && random.integer(2) === 1 ? -m : m);
    }
    canvas.store(pixels, offset);
  };
}

/** Turns the image about its centre, counter-clockwise. */
function rotate(canvas: Canvas, angle: number): void {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = [canvas.width / 2, canvas.height / 2];
  canvas.affine(cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y);
}

/** Each channel's least value becomes 0 and its greatest 255. */
function autocontrast(canvas: Canvas): void {
  for (let c = 0; c < canvas.channels; c++) {
    const counts = canvas.countValues(c);
    const low = counts.findIndex((count) => count > 0);
    let high = 255;
    while (counts[high] === 0) high--;
    if (high === low) continue;
    const scale = 255 / (high - low);
    canvas.map((value) => Math.min(255, Math.max(0, Math.trunc(value * scale - low * scale))), c);
  }
}

/** Each channel's values are spread so that all become about equally frequent. */
function equalize(canvas: Canvas): void {
  for (let c = 0; c < canvas.channels; c++) {
    const counts = canvas.countValues(c);
    let last = 255;
    while (counts[last] === 0) last--;
    const step = Math.floor((canvas.width * canvas.height - counts[last]) / 255);
    if (step === 0) continue;
    let below = Math.floor(step / 2);
    canvas.map((value) => {
      const spread = Math.floor(below / step);
      below += counts[value];
      return Math.min(255, spread);
    }, c);
  }
}

/**
 * (1 − f) other + f value in single precision and cut off, as Pillow has it; f beyond 1 goes away from the other.
 */
function blend(other: number, value: number, factor: number): number {
  const blended = Math.fround(other + Math.fround(Math.fround(factor) * (value - other)));
  return blended <= 0 ? 0 : blended >= 255 ? 255 : Math.trunc(blended);
}

function blendWithGrey(canvas: Canvas, factor: number): void {
  if (canvas.channels === 1) return;
  const { pixels, channels } = canvas;
  for (let at = 0; at < pixels.length; at += channels) {
    const grey = canvas.luma(at);
    for (let c = 0; c < channels; c++) pixels[at + c] = blend(grey, pixels[at + c], factor);
  }
}

function blendWithMean(canvas: Canvas, factor: number): void {
  const { pixels, channels, width, height } = canvas;
  let sum = 0;
  for (let at = 0; at < pixels.length; at += channels) sum += canvas.luma(at);
  const mean = Math.trunc(sum / (width * height) + 0.5);
  canvas.map((value) => blend(mean, value, factor));
}

/** The smoothed image is a mean of 3×3 pixels in which the middle one counts five times; the border is as it was. */
function blendWithSmoothed(canvas: Canvas, factor: number): void {
  const { pixels, channels, width, height } = canvas;
  const result = canvas.spare;
  const row = width * channels;
  result.set(pixels);
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * row + channels; at < (y + 1) * row - channels; at++) {
      let sum = 4 * pixels[at];
      for (let from = at - row; from <= at + row; from += row) {
        sum += pixels[from - channels] + pixels[from] + pixels[from + channels];
      }
      result[at] = blend(Math.floor(sum / 13 + 0.5), pixels[at], factor);
    }
  }
  canvas.turn();
}
