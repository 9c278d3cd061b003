import * as tf from "@tensorflow/tfjs-core";
import { fgsm, pixelsOf } from "@tfjs-zoo/models/explain";
import { pictureOf } from "@tfjs-zoo/training/charts";
import { percent } from "../../shared/dom.ts";
import { networkInput } from "../predict.ts";
import type { Subject, View } from "./subject.ts";

/**
 * The picture with every pixel moved against what the network says of it, the move by itself, and what the network says then.
 *
 * @param epsilon by how much a pixel moves at most, of 255
 */
export async function fooled({ classifier, seen, said, probability }: Subject, epsilon: number): Promise<View> {
  const { model, info } = classifier;
  const tensors = tf.tidy(() => {
    const images = networkInput(classifier, seen);
    const moved = fgsm(model, images, tf.tensor1d([said], "int32"), epsilon / 255, info);
    const pixels = pixelsOf(moved, info); // [1, height, width, channels]
    const change = tf.sub(pixels, pixelsOf(images, info));
    const visible = epsilon === 0 ? tf.fill(change.shape, 0.5) : tf.add(tf.mul(change, 255 / (2 * epsilon)), 0.5);
    return [pixels, visible, tf.softmax(model.apply(moved, { training: false }) as tf.Tensor2D)];
  });
  const [pixels, visible, probabilities] = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  tf.dispose(tensors);
  const now = probabilities.indexOf(probabilities.reduce((a, b) => Math.max(a, b)));
  return {
    pictures: [pictureOf(pixels, info.inputShape), pictureOf(visible, info.inputShape)],
    note: inWords(
      epsilon,
      { name: info.classes[said], share: percent(probability) },
      { name: info.classes[now], share: percent(probabilities[now]) },
    ),
  };
}

interface Said {
  name: string;
  share: string;
}

function inWords(epsilon: number, before: Said, after: Said): string {
  if (epsilon === 0) return `Unmoved, it says ${before.name}, ${before.share}.`;
  const moved = `Every pixel moved by at most ${epsilon} of 255,`;
  return after.name === before.name
    ? `${moved} it still says ${after.name}, ${after.share} (unmoved ${before.share}).`
    : `${moved} it says ${after.name}, ${after.share}; unmoved, ${before.name}, ${before.share}.`;
}
