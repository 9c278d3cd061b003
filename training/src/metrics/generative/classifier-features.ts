import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { ImageSet } from "@tfjs-zoo/datasets";
import { InputError } from "@tfjs-zoo/models";
import { embeddingsAndLogits, normalised } from "@tfjs-zoo/models/explain";
import { events } from "../../loop/events.ts";
import type { ClassifierInfo } from "../../tasks/classifier-weights.ts";
import { type FeatureRows, featureRows } from "./feature-rows.ts";

/** A network whose features images are compared by. */
export interface FeatureNetwork {
  /** what it is called: "resnet20.cifar10" */
  readonly name: string;
  readonly model: tfl.LayersModel;
  readonly info: Pick<ClassifierInfo, "inputShape" | "mean" | "std" | "classes">;
}

export interface ClassifierFeatures {
  /** what its last dense layer reads */
  features: FeatureRows;
  /** [images, classes], softmax */
  probabilities: Float32Array;
}

/** Pixels that go through a network at once, and images at most. */
const PIXELS = 800_000;
const MOST_IMAGES = 250;

/**
 * What a classifier sees in images: the features that its last dense layer reads, and the classes that it takes them for.
 * Images of another size than it reads are resized (bilinear, centres of pixels aligned, without smoothing first, as FID is
 * computed), and those of one channel become grey ones of three.
 *
 * @throws InputError where channels do not fit, for a network without a dense layer, and for outputs that are not finite
 */
export async function classifierFeatures(
  { name, model, info }: FeatureNetwork,
  set: ImageSet,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<ClassifierFeatures> {
  const [height, width, channels] = info.inputShape;
  const [, , given] = set.shape;
  if (given !== channels && given !== 1) {
    throw new InputError(
      `${name} reads images of ${channels} channel(s), and these have ${given}: give another network`,
    );
  }
  if (set.count === 0) throw new InputError(`no images for ${name}: give at least one`);
  const atOnce = Math.min(MOST_IMAGES, Math.ceil(PIXELS / (height * width)));
  let features = new Float32Array();
  const probabilities = new Float32Array(set.count * info.classes.length);
  for (let first = 0; first < set.count; first += atOnce) {
    const indices = Array.from({ length: Math.min(atOnce, set.count - first) }, (_, i) => first + i);
    const seen = await seenBy(model, info, set, indices);
    if (first === 0) features = new Float32Array((set.count * seen.features.length) / indices.length);
    features.set(seen.features, (first * features.length) / set.count);
    probabilities.set(seen.probabilities, first * info.classes.length);
    onProgress(first + indices.length, set.count);
    await events();
  }
  return { features: featureRows(features, features.length / set.count), probabilities };
}

async function seenBy(model: tfl.LayersModel, info: FeatureNetwork["info"], set: ImageSet, indices: readonly number[]) {
  const [height, width, channels] = info.inputShape;
  const shape = [indices.length, ...set.shape] as [number, number, number, number];
  const pixels = new Uint8Array(tf.util.sizeFromShape(shape));
  await set.read(indices, pixels);
  const [features, probabilities] = tf.tidy((): [tf.Tensor2D, tf.Tensor2D] => {
    const read = tf.div<tf.Tensor4D>(tf.tensor4d(Float32Array.from(pixels), shape), 255); // [batch, ...set.shape]
    const sized =
      shape[1] === height && shape[2] === width ? read : tf.image.resizeBilinear(read, [height, width], false, true);
    const coloured = shape[3] === channels ? sized : tf.tile(sized, [1, 1, 1, channels]);
    const seen = embeddingsAndLogits(model, normalised(coloured, info));
    return [seen.features, tf.softmax(seen.logits)];
  });
  const values = {
    features: (await features.data()) as Float32Array,
    probabilities: (await probabilities.data()) as Float32Array,
  };
  tf.dispose([features, probabilities]);
  return values;
}
