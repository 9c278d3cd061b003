import * as tf from "@tensorflow/tfjs-core";
import { evaluationBatches, type ImageSet, imageTransform } from "@tfjs-zoo/datasets";
import { InputError } from "@tfjs-zoo/models";
import type { Normalisation } from "@tfjs-zoo/models/explain";
import { type Picture, pictureOf } from "@tfjs-zoo/training/charts";
import type { ClassifierInfo, loadClassifier, Section } from "@tfjs-zoo/training/node";
import { closest } from "fastest-levenshtein";
import type { Output } from "../../context.ts";
import { expectFinite } from "../../expect-finite.ts";

/** What a network is shown, and what it says of it. */
export interface ShownPicture {
  /** what people call it: "test image 12", or its file */
  name: string;
  /** the beginning of its files' names */
  stem: string;
  /** [height, width, channels], normalised */
  input: Float32Array;
  picture: Picture;
  /** its class, where that is known */
  label?: number;
  said: number;
  /** of what it said, 0 to 1 */
  probability: number;
}

/** What is looked into, and with what. */
export interface Subject {
  model: Awaited<ReturnType<typeof loadClassifier>>["model"];
  info: ClassifierInfo;
  pictures: readonly ShownPicture[];
  /** of the test set; absent where no method asked for it */
  sample?: Sample;
  layer?: string;
  classIndex?: number;
  seed: number;
  /** of activation's gradient ascent */
  steps: number;
  progress: Pick<Output["progress"], "update">;
}

/** One way to look: what the report shows of it, and its figures for programs. */
export interface Look {
  section: Section;
  facts: object;
  /** what is to be said on a terminal */
  line: string;
}

/** Images of a test set, evenly spread over it. */
export interface Sample extends ImageSet {
  /** the images' places in the whole set */
  indices: readonly number[];
}

export function sampleOf(set: ImageSet, count: number): Sample {
  const indices = Array.from({ length: Math.min(count, set.count) }, (_, i) =>
    Math.floor((i * set.count) / Math.min(count, set.count)),
  );
  return {
    indices,
    count: indices.length,
    shape: set.shape,
    labels: Uint16Array.from(indices, (index) => set.labels[index]),
    read: (which, into) =>
      set.read(
        Array.from(which, (i) => indices[i]),
        into,
      ),
  };
}

/** How many images of a shape are run at once: fewer where they are large, since a backward pass keeps all activations. */
export function batchSizeFor([height, width, channels]: readonly number[]): number {
  return Math.max(1, Math.min(100, Math.floor((100 * 32 * 32 * 3) / (height * width * channels))));
}

/** Runs `body` on each batch of the sample, tidies up after it, and shows how far it is. */
export async function onSample(
  { sample, info, progress }: Subject,
  label: string,
  body: (images: tf.Tensor4D, labels: tf.Tensor1D, batch: { labels: Int32Array; size: number }) => void | Promise<void>,
): Promise<void> {
  if (sample === undefined) throw new Error(`${label} needs a sample of the test set`);
  const { mean, std, inputShape } = info;
  let done = 0;
  progress.update({ label, done, total: sample.count, unit: "items" });
  for await (const batch of evaluationBatches({ set: sample, mean, std, batchSize: batchSizeFor(inputShape) })) {
    const images = tf.tensor4d(batch.images, [batch.size, ...inputShape]);
    const labels = tf.tensor1d(batch.labels, "int32");
    await body(images, labels, batch);
    tf.dispose([images, labels]);
    done += batch.size;
    progress.update({ label, done, total: sample.count, unit: "items" });
    await new Promise((resolve) => setImmediate(resolve)); // a live line and Ctrl-C get their turn
  }
}

/**
 * A picture as the network takes it, and what it says of it.
 *
 * @throws InputError as `expectFinite` does
 */
export function shownPicture(
  model: Subject["model"],
  info: ClassifierInfo,
  pixels: Uint8Array,
  about: Pick<ShownPicture, "name" | "stem" | "label">,
): ShownPicture {
  const { inputShape, mean, std } = info;
  const input = new Float32Array(pixels.length);
  imageTransform(inputShape, mean, std)(pixels, 0, input, 0);
  const probabilities = tf.tidy(() => {
    const logits = model.apply(tf.tensor4d(input, [1, ...inputShape]), { training: false }) as tf.Tensor2D;
    return tf.softmax(logits).dataSync<"float32">();
  });
  expectFinite(probabilities, info);
  const probability = probabilities.reduce((a, b) => Math.max(a, b));
  const picture = pictureOf(
    Array.from(pixels, (pixel) => pixel / 255),
    inputShape,
  );
  return { ...about, input, picture, said: probabilities.indexOf(probability), probability };
}

/**
 * Asks the network about the mean of all pictures, so that weights that overflow are refused before much is computed.
 *
 * @throws InputError as `expectFinite` does
 */
export function expectAnswer(model: Subject["model"], info: ClassifierInfo): void {
  const logits = tf.tidy(() => {
    const mean = tf.zeros([1, ...info.inputShape]);
    return (model.apply(mean, { training: false }) as tf.Tensor2D).dataSync<"float32">();
  });
  expectFinite(logits, info);
}

/** One picture as a batch: [1, height, width, channels]. */
export const asBatch = ({ input }: ShownPicture, { inputShape }: ClassifierInfo): tf.Tensor4D =>
  tf.tensor4d(input, [1, ...inputShape]);

export const normalisationOf = ({ mean, std }: ClassifierInfo): Normalisation => ({ mean, std });

/**
 * A class by its name, or its number.
 *
 * @throws InputError for one that there isn't, with the nearest
 */
export function findClass({ classes, model }: ClassifierInfo, text: string): number {
  const named = classes.indexOf(text);
  if (named >= 0) return named;
  if (/^\d+$/.test(text) && Number(text) < classes.length) return Number(text);
  const known = classes.length > 20 ? `${classes.slice(0, 20).join(", ")} …` : classes.join(", ");
  throw new InputError(
    `${model} knows no class "${text}": did you mean "${closest(text, classes)}"? (${known}; or a number from 0 to ${classes.length - 1})`,
  );
}

/** 0.9876 -> "98.8 %"; never 100 for what was not quite certain */
export function percent(share: number): string {
  const shown = (100 * share).toFixed(1);
  return share < 1 && shown === "100.0" ? "over 99.9 %" : `${shown} %`;
}
