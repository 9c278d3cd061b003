import * as tf from "@tensorflow/tfjs-core";
import { maximiseActivation, pixelsOf } from "@tfjs-zoo/models/explain";
import { pictureOf } from "@tfjs-zoo/training/charts";
import { breathe, type Subject, type View } from "./subject.ts";

const STEPS = 120;

/**
 * A picture made from faint noise that raises a class's score as far as it goes.
 *
 * @param stop ends it with what it has
 * @param signal ends it for nothing
 */
export async function whatExcites(
  { classifier: { model, info }, classIndex }: Subject,
  stop: AbortSignal,
  signal: AbortSignal,
  onShare: (share: number) => void,
): Promise<View> {
  let steps = 0;
  const ended = new AbortController();
  const { images, activation } = await maximiseActivation(model, {
    mean: info.mean,
    std: info.std,
    units: [classIndex],
    steps: STEPS,
    signal: ended.signal,
    async onStep(done, total) {
      steps = done;
      onShare(done / total);
      await breathe(stop).catch(() => ended.abort());
      if (signal.aborted) ended.abort();
    },
  });
  const pixels = tf.tidy(() => pixelsOf(images, info));
  const values = await pixels.data();
  tf.dispose([images, pixels]);
  const after = steps < STEPS ? `, stopped after ${steps} of ${STEPS} steps` : "";
  return {
    pictures: [pictureOf(values, info.inputShape)],
    note: `Excites ${info.classes[classIndex]}: its score is ${activation[0].toFixed(1)}, before the softmax${after}.`,
  };
}
