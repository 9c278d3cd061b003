import { gradCam } from "@tfjs-zoo/models/explain";
import { contextOf } from "../shared/picture.ts";
import type { Classifier } from "../shared/pretrained.ts";
import { networkInput } from "./predict.ts";

/** of the map over the picture, 0 to 255 */
const OPACITY = 150;

/**
 * Lays the Grad-CAM map of the likeliest class over a picture.
 *
 * @param seen [height, width, channels], 0..255
 * @returns the layer whose maps were weighed
 * @throws InputError for a network without a map over places
 */
export async function showHeat(canvas: HTMLCanvasElement, classifier: Classifier, seen: Uint8Array): Promise<string> {
  const [height, width] = classifier.info.inputShape;
  const images = networkInput(classifier, seen);
  let map: Float32Array;
  let layer: string;
  try {
    const cam = gradCam(classifier.model, images);
    layer = cam.layer;
    map = (await cam.map.data()) as Float32Array; // [1, height, width]
    cam.map.dispose();
  } finally {
    images.dispose();
  }
  const small = document.createElement("canvas");
  [small.width, small.height] = [width, height];
  const pixels = new ImageData(width, height);
  for (const [i, value] of map.entries()) pixels.data.set(colour(value), 4 * i);
  contextOf(small).putImageData(pixels, 0, 0);
  const context = contextOf(canvas);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  return layer;
}

/** Colours from dark to light, so that the map reads without seeing colours too (matplotlib's inferno). */
const inferno = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
] as const;

function colour(value: number): [number, number, number, number] {
  const at = Math.min(0.9999, Math.max(0, value)) * (inferno.length - 1);
  const k = Math.floor(at);
  const mix = (c: 0 | 1 | 2) => Math.round(inferno[k][c] + (at - k) * (inferno[k + 1][c] - inferno[k][c]));
  return [mix(0), mix(1), mix(2), OPACITY];
}
