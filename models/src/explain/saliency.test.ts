import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { saliency } from "./saliency.ts";
import { tensorsLeftBy, testImages, testNetworks } from "./test-networks.ts";

beforeAll(() => tf.setBackend("cpu"));

it("saliency is the largest change of the score that a channel of a pixel makes", () => {
  const model = testNetworks.resnet();
  const images = testImages(model, 1);
  const { map, classIndex } = saliency(model, images, 3);
  expect(classIndex).toEqual([3]);
  const pixels = images.dataSync();
  const scoreWith = (index: number, change: number) => {
    const moved = Float32Array.from(pixels);
    moved[index] += change;
    return tf.tidy(() => (model.apply(tf.tensor4d(moved, images.shape)) as tf.Tensor).dataSync()[3]);
  };
  const step = 1e-2;
  const sizes = Array.from({ length: 64 }, (_, place) =>
    Math.max(
      ...[0, 1, 2].map((c) => Math.abs(scoreWith(3 * place + c, step) - scoreWith(3 * place + c, -step)) / (2 * step)),
    ),
  );
  const largest = Math.max(...sizes);
  const shown = map.dataSync();
  const worst = Math.max(...sizes.map((size, i) => Math.abs(size / largest - shown[i])));
  expect(worst).toBeLessThan(0.05);
  expect(tensorsLeftBy(() => saliency(model, images).map.dispose())).toBe(0);
  tf.dispose([map, images]);
  model.dispose();
});
