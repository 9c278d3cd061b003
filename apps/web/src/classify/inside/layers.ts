import * as tf from "@tensorflow/tfjs-core";
import { featureMaps, filters, shownMaps, tellingLayers } from "@tfjs-zoo/models/explain";
import { cut, heatPicture, pictureOf, sheet } from "@tfjs-zoo/training/charts";
import type { Classifier } from "../../shared/pretrained.ts";
import { networkInput } from "../predict.ts";
import type { Subject, View } from "./subject.ts";

/** The layers to choose from, from the first to the last. */
export const layersOf = ({ model }: Classifier): string[] => tellingLayers(model);

/**
 * What a layer makes of the picture.
 *
 * @param layer of `layersOf`; "" where that is empty
 */
export async function layerMaps({ classifier, seen }: Subject, layer: string): Promise<View> {
  if (layer === "") return { pictures: [], note: "No layer of this network has maps over places." };
  const maps = tf.tidy(() => {
    const found = featureMaps(classifier.model, networkInput(classifier, seen), [layer]);
    return shownMaps(found[layer] as tf.Tensor4D); // [channels, height, width]
  });
  const [channels, height, width] = maps.shape;
  const values = await maps.data<"float32">();
  maps.dispose();
  const tiles = cut(values, channels);
  const silent = tiles.filter((tile) => tile.every((value) => value === 0)).length;
  return {
    pictures: [
      sheet(
        tiles.map((tile) => heatPicture({ values: tile, height, width })),
        128,
      ),
    ],
    note: `${counted(tiles.length, channels)} maps of ${layer}, ${height}×${width} places each${silent > 0 ? `; ${silent} are 0 everywhere` : ""}. Dark is 0; each map has its own scale.`,
  };
}

/** The first layer's weights. */
export async function firstFilters({ classifier: { model } }: Subject): Promise<View> {
  const { images, layer } = filters(model);
  const [count, height, width] = images.shape;
  const values = await images.data<"float32">();
  images.dispose();
  if (height * width === 1) return { pictures: [], note: `The filters of ${layer} are single pixels: nothing to see.` };
  const tiles = cut(values, count).map((tile) => pictureOf(tile, [height, width, 3]));
  return {
    pictures: [sheet(tiles, 24)],
    note: `${counted(tiles.length, count)} filters of ${layer}, ${height}×${width} pixels. Mid-grey is a weight of 0; each filter has its own scale.`,
  };
}

const counted = (shown: number, all: number): string => (shown === all ? `All ${all}` : `The first ${shown} of ${all}`);
