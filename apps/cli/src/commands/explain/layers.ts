import * as tf from "@tensorflow/tfjs-core";
import { featureMaps, filters, shownMaps, tellingLayers } from "@tfjs-zoo/models/explain";
import { cut, heatPicture, pictureOf, sheet, TILES } from "@tfjs-zoo/training/charts";
import type { Figure } from "@tfjs-zoo/training/node";
import { asBatch, type Look, type Subject } from "./subject.ts";
import { fileName } from "./where.ts";

/** Layers whose maps are shown at most. */
const LAYERS = 8;

/** The first layer's filters. */
export function firstFilters({ model }: Subject): Look {
  const { images, layer } = filters(model);
  const [count, height, width] = images.shape;
  const tiles = cut(images.dataSync<"float32">(), count).map((values) => pictureOf(values, [height, width, 3]));
  images.dispose();
  const file = "filters.png";
  const shown = Math.min(count, TILES);
  const caption = `${shown === count ? `all ${count}` : `the first ${shown} of ${count}`} filters of ${layer}, ${height}×${width} pixels`;
  const figure: Figure = { file, picture: sheet(tiles, 24), alt: `Mosaic of ${caption}`, caption };
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
    const scaled = shownMaps(map);
    const tiles = cut(scaled.dataSync<"float32">(), channels).map((values) => heatPicture({ values, height, width }));
    scaled.dispose();
    const silent = tf.tidy(() => tf.sum(tf.cast(tf.lessEqual(tf.max(map, [0, 1, 2]), 0), "float32")).dataSync()[0]);
    const file = `${shown.stem}-maps-${i + 1}-${fileName(name)}.png`;
    const count = Math.min(channels, TILES);
    const caption = `${name}: ${count === channels ? `all ${channels}` : `the first ${count} of ${channels}`} maps of ${height}×${width}${silent > 0 ? `; ${silent} are 0 everywhere` : ""}`;
    figures.push({ file, picture: sheet(tiles, 128), alt: `Feature maps of ${shown.name}, ${caption}`, caption });
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
