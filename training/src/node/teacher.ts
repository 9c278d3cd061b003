import * as tf from "@tensorflow/tfjs-core";
import type { ImageDataset } from "@tfjs-zoo/datasets";
import { InputError } from "@tfjs-zoo/models";
import type { Recipe } from "../recipes/recipe.ts";
import type { Teacher } from "../tasks/classification.ts";
import { type ClassifierFile, inferenceNetworkOf } from "./classifier-file.ts";

/** A teacher that holds a network, until `dispose`. */
export interface LoadedTeacher extends Teacher {
  dispose(): void;
}

/**
 * A network of a file as a teacher of another on a data set. What it is shown is normalised as it was trained.
 *
 * @throws InputError where it takes other images than the data set has, or tells other classes apart
 */
export function teacherOf(
  file: ClassifierFile,
  dataset: ImageDataset,
  { temperature, distillWeight }: Recipe,
  name = file.path,
): LoadedTeacher {
  const { info } = file;
  if (info.inputShape.join() !== dataset.shape.join()) {
    throw new InputError(
      `the teacher ${name} takes images of ${info.inputShape.join("x")}, and these are ${dataset.shape.join("x")}: give one for such images`,
    );
  }
  const other = info.classes.length !== dataset.classes.length || info.classes.some((c, k) => c !== dataset.classes[k]);
  if (other) {
    throw new InputError(
      `the teacher ${name} tells ${shown(info.classes)} apart, and ${dataset.name} has ${shown(dataset.classes)}: give one that was trained on such images`,
    );
  }
  const network = inferenceNetworkOf(file);
  const normalised = renormalisation(dataset, info);
  return {
    temperature,
    weight: distillWeight,
    logits: (images) => tf.tidy(() => network.apply(normalised(images), { training: false }) as tf.Tensor2D),
    dispose: () => void network.dispose(),
  };
}

const shown = (classes: readonly string[]): string =>
  `${classes.length} classes (${classes.slice(0, 3).join(", ")}${classes.length > 3 ? ", …" : ""})`;

type Normalisation = Pick<ImageDataset, "mean" | "std">;

/** From one normalisation to another: (σ x + μ − μ') / σ', a channel each. */
function renormalisation(from: Normalisation, to: Normalisation): (images: tf.Tensor4D) => tf.Tensor4D {
  const scale = from.std.map((std, c) => std / to.std[c]);
  const shift = from.mean.map((mean, c) => (mean - to.mean[c]) / to.std[c]);
  if (scale.every((s) => s === 1) && shift.every((s) => s === 0)) return (images) => images;
  return (images) => tf.add(tf.mul(images, tf.tensor1d(scale)), tf.tensor1d(shift)); // [batch, height, width, channels]
}
