import * as tf from "@tensorflow/tfjs-core";
import { featureMaps, filters, tellingLayers } from "@tfjs-zoo/models/explain";
import { enlarged, type Figure, heatPicture, mosaic, type Picture, pictureOf } from "@tfjs-zoo/training/node";
import { asBatch, type Look, type Subject } from "./subject.ts";
import { fileName } from "./where.ts";

/** Tiles of a mosaic at most. */
const TILES = 64;
const COLUMNS = 8;
/** Layers whose maps are shown at most. */
const LAYERS = 8;
/** A mosaic is enlarged to about so many pixels across. */
const ACROSS = 480;

/** The first layer's filters. */
export function firstFilters({ model }: Subject): Look {
  const { images, layer } = filters(model);
  const [count, height, width] = images.shape;
  const tiles = tiled(images, count).map((values) => pictureOf(values, [height, width, 3]));
  images.dispose();
  const file = "filters.png";
  const shown = Math.min(count, TILES);
  const caption = `${shown === count ? `all ${count}` : `the first ${shown} of ${count}`} filters of ${layer}, ${height}×${width} pixels`;
  const figure: Figure = { file, picture: laidOut(tiles, 24), alt: `Mosaic of ${caption}`, caption };
  return {
    section: {
      title: "Filters",
      lead: "The first layer's weights, each filter as the picture that it answers to most (Krizhevsky et al. 2012, fig. 3). Mid-grey is a weight of 0; each filter has its own scale. Edges, blobs and colours say that it has learned, noise that it has not yet.",
      blocks: [{ kind: "figures", figures: [figure], wide: true }],
    },
    facts: { layer, filters: count, size: [height, width], file },
    line: `filters: ${caption}`,
  };
}

/** What some layers, from the first to the last, make of a picture. */
export async function layerMaps(subject: Subject): Promise<Look> {
  const { model, info, pictures, layer } = subject;
  const [shown] = pictures;
  const names = layer === undefined ? tellingLayers(model).slice(0, LAYERS) : [layer];
  const image = asBatch(shown, info);
  const maps = featureMaps(model, image, names);
  image.dispose();
  const facts: object[] = [];
  const figures: Figure[] = [];
  for (const [i, name] of names.entries()) {
    const map = maps[name] as tf.Tensor4D; // [1, height, width, channels]
    const [, height, width, channels] = map.shape;
    const scaled = tf.tidy(() => {
      const each = tf.transpose(tf.relu(tf.squeeze<tf.Tensor3D>(map, [0])), [2, 0, 1]); // [channels, height, width]
      return tf.divNoNan(each, tf.max(each, [1, 2], true));
    });
    const tiles = tiled(scaled, channels).map((values) => heatPicture({ values, height, width }));
    scaled.dispose();
    const silent = tf.tidy(() => tf.sum(tf.cast(tf.lessEqual(tf.max(map, [0, 1, 2]), 0), "float32")).dataSync()[0]);
    const file = `${shown.stem}-maps-${i + 1}-${fileName(name)}.png`;
    const count = Math.min(channels, TILES);
    const caption = `${name}: ${count === channels ? `all ${channels}` : `the first ${count} of ${channels}`} maps of ${height}×${width}${silent > 0 ? `; ${silent} are 0 everywhere` : ""}`;
    figures.push({ file, picture: laidOut(tiles, 128), alt: `Feature maps of ${shown.name}, ${caption}`, caption });
    facts.push({ layer: name, channels, size: [height, width], silent, file });
  }
  tf.dispose(maps);
  return {
    section: {
      title: "Feature maps",
      lead: `${layer === undefined ? "What layers from the first to the last make" : `What ${layer} makes`} of ${shown.name} (Zeiler & Fergus 2014). Early maps still show the picture, late ones say which of its parts are there, and roughly where. Dark is 0 or less; each map has its own scale.`,
      blocks: [{ kind: "figures", figures, wide: true }],
    },
    facts: { picture: shown.name, layers: facts },
    line: `feature maps: ${names.join(", ")}`,
  };
}

/** The values of the first tiles: [tiles, ...] cut along its first axis. */
function tiled(tensor: tf.Tensor, count: number): Float32Array[] {
  const values = tensor.dataSync() as Float32Array;
  const size = values.length / count;
  return Array.from({ length: Math.min(count, TILES) }, (_, i) => values.subarray(i * size, (i + 1) * size));
}

/** Tiles in rows of eight, large enough to be seen; `grey` is between them. */
function laidOut(tiles: readonly Picture[], grey: number): Picture {
  const columns = Math.min(COLUMNS, tiles.length);
  const factor = Math.max(1, Math.round(ACROSS / (columns * tiles[0].width)));
  return mosaic(
    tiles.map((tile) => enlarged(tile, factor)),
    columns,
    grey,
  );
}
