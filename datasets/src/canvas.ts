import type { ImageSet } from "./types.ts";

/** One image in work, and room for what becomes of it: nothing is allocated for the next image. */
export class Canvas {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** [height, width, channels], the image as it is now */
  pixels: Uint8Array;
  /** [height, width, channels], for a result; `turn` makes it the image */
  spare: Uint8Array;
  private readonly counts = new Int32Array(256);
  private readonly table = new Uint8Array(256);

  constructor([height, width, channels]: ImageSet["shape"]) {
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.pixels = new Uint8Array(height * width * channels);
    this.spare = new Uint8Array(height * width * channels);
  }

  load(from: Uint8Array, offset: number): void {
    const { pixels } = this;
    for (let i = 0; i < pixels.length; i++) pixels[i] = from[offset + i];
  }

  store(to: Uint8Array, offset: number): void {
    to.set(this.pixels, offset);
  }

  /** Makes the spare image the image. */
  turn(): void {
    const { pixels } = this;
    this.pixels = this.spare;
    this.spare = pixels;
  }

  /** How often each value from 0 to 255 is in a channel; valid until it is called again. */
  countValues(channel: number): Int32Array {
    const { pixels, channels, counts } = this;
    counts.fill(0);
    for (let at = channel; at < pixels.length; at += channels) counts[pixels[at]]++;
    return counts;
  }

  /**
   * Puts `to(value)` for every value of a channel, or of all.
   *
   * @param to is asked for 0 to 255, in this order
   */
  map(to: (value: number) => number, channel?: number): void {
    const { pixels, channels, table } = this;
    for (let value = 0; value < 256; value++) table[value] = to(value);
    const step = channel === undefined ? 1 : channels;
    for (let at = channel ?? 0; at < pixels.length; at += step) pixels[at] = table[pixels[at]];
  }

  /** Grey of the pixel at an index: ITU-R 601's luma in 16 bits, as Pillow's mode L. */
  luma(at: number): number {
    const { pixels, channels } = this;
    if (channels === 1) return pixels[at];
    return (pixels[at] * 19595 + pixels[at + 1] * 38470 + pixels[at + 2] * 7471 + 0x8000) >> 16;
  }

  /**
   * Moves pixels: the one at (x, y) of the result is the one at (a x + b y + c, d x + e y + f), or black where that is
   * outside. At the pixels' centres and in fixed point of 16 bits, as Pillow's.
   */
  affine(a: number, b: number, c: number, d: number, e: number, f: number): void {
    const { height, width, channels, pixels, spare } = this;
    const [toRight, toRightY, down, downY] = [fixed(a), fixed(d), fixed(b), fixed(e)];
    let rowX = fixed(c + a / 2 + b / 2);
    let rowY = fixed(f + d / 2 + e / 2);
    let at = 0;
    for (let y = 0; y < height; y++, rowX += down, rowY += downY) {
      let sourceX = rowX;
      let sourceY = rowY;
      for (let x = 0; x < width; x++, sourceX += toRight, sourceY += toRightY) {
        const column = sourceX >> 16;
        const row = sourceY >> 16;
        const inside = column >= 0 && column < width && row >= 0 && row < height;
        const source = (row * width + column) * channels;
        for (let k = 0; k < channels; k++) spare[at++] = inside ? pixels[source + k] : 0;
      }
    }
    this.turn();
  }
}

const fixed = (value: number): number => Math.floor(value * 65536 + 0.5);
