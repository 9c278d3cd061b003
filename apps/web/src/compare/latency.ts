import * as tf from "@tensorflow/tfjs-core";
import { openPretrained, type Pretrained } from "../shared/pretrained.ts";

/** Pictures before those that count: the first ones compile what is compiled. */
const WARM = 3;
const COUNTED = 15;

/**
 * How long a network takes for one picture in this browser, from the upload to the probabilities.
 *
 * @param onShare is told how much of its weights is here, 0 to 1
 * @returns the median, in milliseconds
 * @throws InputError when its weights can't be had
 */
export async function latency(entry: Pretrained, onShare: (share: number) => void): Promise<number> {
  const { model, info } = await openPretrained(entry, onShare);
  const pixels = new Float32Array(info.inputShape.reduce((a, b) => a * b));
  const times: number[] = [];
  try {
    for (let i = 0; i < WARM + COUNTED; i++) {
      const began = performance.now();
      const probabilities = tf.tidy(() => {
        const images = tf.tensor4d(pixels, [1, ...info.inputShape]);
        return tf.softmax(model.apply(images, { training: false }) as tf.Tensor2D);
      }); // [1, classes]
      await probabilities.data();
      probabilities.dispose();
      if (i >= WARM) times.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve)); // the page stays usable
    }
  } finally {
    model.dispose();
  }
  return times.sort((a, b) => a - b)[Math.floor(COUNTED / 2)];
}
