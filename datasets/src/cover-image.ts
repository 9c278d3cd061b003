import type { ImageSet } from "./types.ts";

/**
 * A decoded picture: 8-bit sRGB or grey, upright, already without transparency: an even number of channels ends with one
 * that is left out, as a canvas has it.
 */
export interface Picture {
  /** [height, width, channels] */
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

/** Half the width of the filter, in pixels of the smaller of the two images. */
const LOBES = 3;

/**
 * A picture scaled to cover a shape and cropped around its centre, by Lanczos's filter of three lobes (Duchon 1979), which
 * is stretched where the picture shrinks. Plain arithmetic, rounded once: the same pixels in Node and in every browser.
 *
 * @param shape [height, width, channels], channels 1 or 3; one channel is the brightness
 * @returns [height, width, channels], 0..255
 */
export function coverImage(picture: Picture, shape: ImageSet["shape"]): Uint8Array {
  const [height, width, channels] = shape;
  if (channels !== 1 && channels !== 3) throw new RangeError(`${channels} channels: 1 or 3`);
  const scale = Math.min(picture.width / width, picture.height / height);
  const columns = Array.from({ length: width }, (_, x) => taps(x, scale, width, picture.width));
  const rows = Array.from({ length: height }, (_, y) => taps(y, scale, height, picture.height));
  const read = reader(picture, channels);

  const first = rows[0].from;
  const count = rows[height - 1].from + rows[height - 1].weights.length - first;
  const line = new Float32Array(picture.width * channels);
  const narrow = new Float64Array(count * width * channels); // [count, width, channels]
  for (let y = 0; y < count; y++) {
    read(first + y, line);
    for (const [x, { from, weights }] of columns.entries()) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i] * line[(from + i) * channels + c];
        narrow[(y * width + x) * channels + c] = sum;
      }
    }
  }
  const rowSize = width * channels;
  const pixels = new Uint8Array(height * rowSize);
  for (const [y, { from, weights }] of rows.entries()) {
    for (let x = 0; x < rowSize; x++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i] * narrow[(from - first + i) * rowSize + x];
      pixels[y * rowSize + x] = Math.min(255, Math.max(0, Math.round(sum)));
    }
  }
  return pixels;
}

/** What one pixel of the result is made of: pixels of the picture along an axis from `from` on. */
interface Taps {
  from: number;
  weights: Float64Array;
}

function taps(i: number, scale: number, size: number, pictureSize: number): Taps {
  const stretch = Math.max(1, scale);
  const centre = (pictureSize - size * scale) / 2 + (i + 0.5) * scale;
  const from = Math.max(0, Math.ceil(centre - LOBES * stretch - 0.5));
  const to = Math.min(pictureSize, Math.floor(centre + LOBES * stretch - 0.5) + 1);
  const weights = Float64Array.from({ length: to - from }, (_, k) => lanczos((from + k + 0.5 - centre) / stretch));
  const sum = weights.reduce((a, b) => a + b);
  return { from, weights: weights.map((weight) => weight / sum) };
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const angle = Math.PI * x;
  return (LOBES * Math.sin(angle) * Math.sin(angle / LOBES)) / angle ** 2;
}

/** Reads a row of a picture as colours, or as brightness. */
function reader({ data, width, channels: stored }: Picture, channels: 1 | 3): (y: number, into: Float32Array) => void {
  const grey = stored < 3;
  return (y, into) => {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * stored;
      const [r, g, b] = [data[at], data[grey ? at : at + 1], data[grey ? at : at + 2]];
      if (channels === 1) into[x] = r === g && g === b ? r : brightness(r, g, b);
      else {
        into[3 * x] = r;
        into[3 * x + 1] = g;
        into[3 * x + 2] = b;
      }
    }
  };
}

/** Light that a value of sRGB stands for (IEC 61966-2-1), 0..1. */
const light = Float64Array.from({ length: 256 }, (_, value) => {
  const v = value / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});

/** The grey, 0..255, that is as bright as a colour: luminance adds up in light, not in sRGB. */
function brightness(r: number, g: number, b: number): number {
  const y = 0.2126 * light[r] + 0.7152 * light[g] + 0.0722 * light[b];
  return 255 * (y <= 0.0031308 ? 12.92 * y : 1.055 * y ** (1 / 2.4) - 0.055);
}
