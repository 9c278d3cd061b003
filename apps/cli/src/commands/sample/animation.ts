/** Images that move: what happens from step to step, or on a way through the space that they come from. */
import { drawLatents, interpolation, type Random, randomStream, traversal } from "@tfjs-zoo/models";
import type { Picture } from "@tfjs-zoo/training/charts";
import sharp from "sharp";
import { UsageError } from "../../context.ts";
import type { LatentSpace, Order } from "./maker.ts";
import { expectNumbers, type Wanted } from "./shows.ts";

/** Kinds of files that an animation can be. */
export const animated = [".gif", ".webp"] as const;

/** Places that an image walks between, and steps from one to the next. */
const PLACES = 3;
const STEPS = 12;
/** Steps of a traversal from one side to the other. */
const SIDE_TO_SIDE = 16;
/** Milliseconds that a frame of a way is shown. */
const WAY_MS = 80;

/** Frames of steps at most, and milliseconds that all of them and the last one are shown. */
const MOST_FRAMES = 60;
const STEPS_MS = 4000;
const END_MS = 1500;

/** Numbers of all frames at most: 256 MB of them. */
const MOST_VALUES = 2 ** 26;

/** Frames, each [rows · columns, height, width, channels] from 0 to 1, and for how long each is shown, ms. */
export interface Animation {
  frames: Float32Array[];
  delays: number[];
}

/**
 * Every image on a way of its own: round through a few places (`interpolation`), or with one number of one z going from
 * side to side, the first image's the first (`traversal`).
 *
 * @param size numbers of an image
 */
export async function ways(
  show: string,
  latent: LatentSpace,
  { rows, columns, seed, labels }: Wanted,
  size: number,
): Promise<Animation> {
  const count = rows * columns;
  const random = randomStream(seed, "sample");
  const zs = show === "traversal" ? swings(count, latent, random) : rounds(count, latent, random);
  expectSpace(zs[0].length, count * size);
  const frames: Float32Array[] = [];
  for (let i = 0; i < zs[0].length; i++) {
    frames.push(
      await latent.images(
        zs.map((way) => way[i]),
        labels,
      ),
    );
  }
  return { frames, delays: frames.map(() => WAY_MS) };
}

/** [count][frames][size] */
function rounds(count: number, latent: LatentSpace, random: Random): number[][][] {
  return Array.from({ length: count }, () => {
    const places = drawLatents(PLACES, latent.size, random);
    // The end of a way is the next one's beginning.
    return places.flatMap((from, i) => interpolation(from, places[(i + 1) % PLACES], STEPS + 1).slice(0, -1));
  });
}

/** [count][frames][size] */
function swings(count: number, latent: LatentSpace, random: Random): number[][][] {
  expectNumbers(count, latent, `--grid has ${count} images, each of which moves one`);
  const [z] = drawLatents(1, latent.size, random);
  return Array.from({ length: count }, (_, number) => {
    const there = traversal(z, [number], SIDE_TO_SIDE);
    return [...there, ...there.slice(1, -1).reverse()];
  });
}

/**
 * Keeps some of the steps that images are made in, evenly spread, the last among them.
 *
 * @param count images  @param size numbers of one
 */
export function stepsKept(count: number, size: number): { onStep: NonNullable<Order["onStep"]>; kept(): Animation } {
  const frames: Float32Array[] = [];
  return {
    async onStep({ step, steps, first, images }) {
      const most = Math.min(steps, MOST_FRAMES);
      const frame = Math.floor((step * most) / steps) - 1;
      if (frame === Math.floor(((step - 1) * most) / steps) - 1) return; // a later step is shown in its place
      expectSpace(most, count * size);
      frames[frame] ??= new Float32Array(count * size);
      frames[frame].set(await images(), first * size);
    },
    kept: () => ({
      frames,
      delays: frames.map((_, i) => (i === frames.length - 1 ? END_MS : Math.min(200, STEPS_MS / frames.length))),
    }),
  };
}

/** @throws UsageError where frames would take too much memory */
function expectSpace(frames: number, values: number): void {
  if (frames * values <= MOST_VALUES) return;
  throw new UsageError(`--animate would keep ${frames} frames of ${values} numbers: give a smaller --grid`);
}

/**
 * The bytes of an animated file, which begins again at its end.
 *
 * @param pictures frames of one size  @param extension one of `animated`
 */
export async function animationOf(
  pictures: readonly Picture[],
  delays: number[],
  extension: string,
): Promise<Uint8Array> {
  const [{ height, width }] = pictures;
  const pixels = Buffer.concat(pictures.map((picture) => picture.pixels));
  const raw = { width, height: height * pictures.length, channels: 3 as const, pageHeight: height };
  const film = sharp(pixels, { raw, limitInputPixels: false });
  const times = { delay: delays.map(Math.round), loop: 0 };
  return extension === ".webp"
    ? film.webp({ ...times, lossless: true }).toBuffer()
    : film.gif({ ...times, dither: 0 }).toBuffer();
}
