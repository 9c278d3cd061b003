import { heatColour } from "./colour-map.ts";

/** A picture: [height, width, 3], 0 to 255. */
export interface Picture {
  pixels: Uint8Array;
  height: number;
  width: number;
}

/** Numbers over places: [height, width], 0 to 1. */
export interface HeatMap {
  values: ArrayLike<number>;
  height: number;
  width: number;
}

/** Small pictures are enlarged to about this many pixels, so that a heat map over them is smooth. */
const LARGE = 192;
/** How much of a picture its heat map covers where it is hottest. */
const COVER = 0.75;
/** Between the tiles of a mosaic. */
const GAP = 4;
/** Tiles of a sheet at most. */
export const TILES = 64;
const COLUMNS = 8;
/** A sheet is enlarged to about so many pixels across. */
const ACROSS = 480;

function paint(height: number, width: number, colour: (y: number, x: number) => ArrayLike<number>): Picture {
  const pixels = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set(colour(y, x), 3 * (y * width + x));
  }
  return { pixels, height, width };
}

const at = ({ pixels, width }: Picture, y: number, x: number): Uint8Array =>
  pixels.subarray(3 * (y * width + x), 3 * (y * width + x) + 3);

/**
 * Numbers as a picture.
 *
 * @param values [height, width, channels], channels 1 or 3: 0 is black and 1 is white
 */
export function pictureOf(values: ArrayLike<number>, [height, width, channels]: readonly number[]): Picture {
  return paint(height, width, (y, x) =>
    [0, 1, 2].map((c) => {
      const value = values[(y * width + x) * channels + (channels === 3 ? c : 0)];
      return Math.round(255 * Math.min(1, Math.max(0, value)));
    }),
  );
}

/** Every pixel as a square of `factor`. */
export function enlarged(picture: Picture, factor: number): Picture {
  const { height, width } = picture;
  return paint(height * factor, width * factor, (y, x) => at(picture, Math.floor(y / factor), Math.floor(x / factor)));
}

/** A small picture as large as a page shows it. */
export function readable(picture: Picture): Picture {
  return enlarged(picture, factorOf(picture));
}

const factorOf = ({ height, width }: { height: number; width: number }): number =>
  Math.max(1, Math.round(LARGE / Math.max(height, width)));

/** A heat map by itself, its places as squares. */
export function heatPicture({ values, height, width }: HeatMap): Picture {
  return paint(height, width, (y, x) => heatColour(values[y * width + x]));
}

/** A picture in grey under a heat map, which is clear where it is 0. */
export function overlaid(picture: Picture, map: HeatMap): Picture {
  const factor = factorOf(picture);
  const [height, width] = [picture.height * factor, picture.width * factor];
  return paint(height, width, (y, x) => {
    const [red, green, blue] = at(picture, Math.floor(y / factor), Math.floor(x / factor));
    const grey = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    const heat = interpolated(map, (y + 0.5) / height, (x + 0.5) / width);
    const cover = COVER * Math.min(1, 1.5 * heat);
    return heatColour(heat).map((colour) => Math.round((1 - cover) * grey + cover * colour));
  });
}

/** Bilinear; `down` and `across` are shares of the map's height and width. */
function interpolated({ values, height, width }: HeatMap, down: number, across: number): number {
  const inside = (place: number, length: number) => Math.min(length - 1, Math.max(0, place));
  const [y, x] = [inside(down * height - 0.5, height), inside(across * width - 0.5, width)];
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [bottom, right] = [inside(top + 1, height), inside(left + 1, width)];
  const row = (line: number) => {
    const [first, second] = [values[line * width + left], values[line * width + right]];
    return first + (x - left) * (second - first);
  };
  return row(top) + (y - top) * (row(bottom) - row(top));
}

/** Pictures of one size side by side, row by row, on a grey of 0 to 255. */
export function mosaic(tiles: readonly Picture[], columns: number, grey = 128): Picture {
  const [{ height, width }] = tiles;
  const rows = Math.ceil(tiles.length / columns);
  const pixels = new Uint8Array((rows * (height + GAP) - GAP) * (columns * (width + GAP) - GAP) * 3).fill(grey);
  const whole: Picture = { pixels, height: rows * (height + GAP) - GAP, width: columns * (width + GAP) - GAP };
  for (const [i, tile] of tiles.entries()) {
    const [top, left] = [Math.floor(i / columns) * (height + GAP), (i % columns) * (width + GAP)];
    for (let y = 0; y < height; y++) {
      pixels.set(tile.pixels.subarray(3 * y * width, 3 * (y + 1) * width), 3 * ((top + y) * whole.width + left));
    }
  }
  return whole;
}

/** The values of the first tiles of a sheet: [count, ...] cut along its first axis. */
export function cut(values: Float32Array, count: number): Float32Array[] {
  const size = values.length / count;
  return Array.from({ length: Math.min(count, TILES) }, (_, i) => values.subarray(i * size, (i + 1) * size));
}

/** Tiles in rows of eight unless said, large enough to be seen; `grey` is between them. */
export function sheet(tiles: readonly Picture[], grey: number, inRow = COLUMNS): Picture {
  const columns = Math.min(inRow, tiles.length);
  const factor = Math.max(1, Math.round(ACROSS / (columns * tiles[0].width)));
  return mosaic(
    tiles.map((tile) => enlarged(tile, factor)),
    columns,
    grey,
  );
}

/** Where a map is hottest, in words. */
export function hottest({ values, height, width }: HeatMap): string {
  let at = 0;
  for (let i = 1; i < height * width; i++) if (values[i] > values[at]) at = i;
  if (!(values[at] > 0)) return "hot nowhere";
  const third = (place: number, length: number, names: readonly string[]) => names[Math.floor((3 * place) / length)];
  const row = third(Math.floor(at / width), height, ["at the top", "in the middle", "at the bottom"]);
  return `hottest ${row}, ${third(at % width, width, ["left", "centre", "right"])}`;
}
