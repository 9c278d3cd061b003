import type { Output } from "../../context.ts";
import { allImages, imageSource } from "./maker.ts";
import { pngOf, sheetOf } from "./sheet.ts";
import { labelsByRow } from "./shows.ts";

/** Pixels of all images of a column or row at most, so that a sheet is small enough to ship: a quarter of a megabyte. */
const SIDE = 320;
const COLUMNS = 8;
const ROWS = 10;

/**
 * The sheet that ships beside weights, as the bytes of a .png file: as `zoo sample` makes it, of a network that is told
 * classes a row of each. A backend has to run.
 *
 * @param weights the file that ships
 */
export async function publishedSheet(weights: string, output: Output): Promise<Uint8Array> {
  const source = await imageSource(weights, {});
  const [height, width] = source.info.inputShape;
  const fitting = (size: number, most: number) => Math.max(1, Math.min(most, Math.floor(SIDE / size)));
  const columns = fitting(width, COLUMNS);
  const rows = fitting(height, Math.min(source.classes?.length ?? COLUMNS, ROWS));
  const maker = source.build();
  try {
    const labels = source.classes && labelsByRow(rows, columns, source.classes.length);
    const order = { count: rows * columns, seed: 0, labels, progress: output.progress.update };
    return pngOf(sheetOf(await allImages(maker, source, order), source.info.inputShape, columns));
  } finally {
    maker.dispose();
  }
}
