import * as tf from "@tensorflow/tfjs-core";
import { gradCam, occlusion, saliency } from "@tfjs-zoo/models/explain";
import { type HeatMap, heatPicture, hottest } from "@tfjs-zoo/training/charts";
import { percent } from "../../shared/dom.ts";
import { networkInput } from "../predict.ts";
import { breathe, type Subject, type View } from "./subject.ts";

/** Pixels of images that are run at once: few on the processor, which holds the page up meanwhile. */
const AT_ONCE = { processor: 8 * 32 * 32, graphics: 64 * 32 * 32 };

/** By Grad-CAM, occlusion or saliency: where in the picture the network finds what speaks for a class. */
export async function whereItLooks(
  method: string,
  subject: Subject,
  signal: AbortSignal,
  onShare: (share: number) => void,
): Promise<View> {
  const images = networkInput(subject.classifier, subject.seen);
  try {
    const { map, says } = await methods[method](subject, images, signal, onShare);
    return { pictures: [heatPicture(map)], note: `Bright is ${says}; ${hottest(map)}.` };
  } finally {
    images.dispose();
  }
}

type Method = (
  subject: Subject,
  images: tf.Tensor4D,
  signal: AbortSignal,
  onShare: (share: number) => void,
) => Promise<{ map: HeatMap /** what is bright */; says: string }>;

const methods: { [name: string]: Method } = {
  async "grad-cam"({ classifier: { model, info }, classIndex }, images) {
    const { map, layer } = gradCam(model, images, { classIndex });
    return { map: await taken(map), says: `where the last maps (${layer}) speak for ${info.classes[classIndex]}` };
  },

  async saliency({ classifier: { model, info }, classIndex }, images) {
    const { map } = saliency(model, images, classIndex);
    return { map: await taken(map), says: `a pixel that the score of ${info.classes[classIndex]} depends on` };
  },

  async occlusion({ classifier: { model, info }, classIndex }, images, signal, onShare) {
    const onPlaces = (done: number, total: number) => {
      onShare(done / total);
      return breathe(signal);
    };
    const atOnce = AT_ONCE[tf.getBackend() === "webgpu" ? "graphics" : "processor"];
    const batchSize = Math.max(1, Math.floor(atOnce / (info.inputShape[0] * info.inputShape[1])));
    const { probability, whole, size } = await occlusion(model, images, { classIndex, batchSize, onPlaces });
    const [height, width] = probability.shape;
    const left = await probability.data<"float32">();
    probability.dispose();
    const drops = left.map((p) => Math.max(0, whole - p));
    const most = drops.reduce((a, b) => Math.max(a, b));
    const from = `${info.classes[classIndex]} from ${percent(whole)} to ${percent(left.reduce((a, b) => Math.min(a, b)))}`;
    return {
      map: { values: drops.map((drop) => (most > 0 ? drop / most : 0)), height, width },
      says: `what must not be hidden: a grey square of ${size}×${size} pixels brings ${from} at worst`,
    };
  },
};

/** The values of a map [1, height, width], which is disposed of. */
async function taken(map: tf.Tensor3D): Promise<HeatMap> {
  const [, height, width] = map.shape;
  const values = await map.data();
  map.dispose();
  return { values, height, width };
}
