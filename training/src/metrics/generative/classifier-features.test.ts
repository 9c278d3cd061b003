import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { inMemoryImages } from "@tfjs-zoo/datasets";
import { lenet5, randomStream, resnetCifar } from "@tfjs-zoo/models";
import { embeddings } from "@tfjs-zoo/models/explain";
import { beforeAll, describe, expect, it } from "vitest";
import { classifierFeatures } from "./classifier-features.ts";

beforeAll(() => tf.setBackend("cpu"));

function imagesOf(count: number, shape: readonly [number, number, number]) {
  const random = randomStream(0, "images", ...shape);
  const pixels = Uint8Array.from({ length: count * shape[0] * shape[1] * shape[2] }, () => random.integer(256));
  return { pixels, set: inMemoryImages(pixels, new Uint16Array(count), shape) };
}

const classes = ["a", "b", "c"];

describe("classifierFeatures", () => {
  it("are what the last dense layer reads, and softmax, and leave nothing behind", async () => {
    const model = lenet5({ inputShape: [14, 14, 1], classes: 3 });
    const { pixels, set } = imagesOf(253, [14, 14, 1]); // a full batch and three
    const info = { inputShape: [14, 14, 1], mean: [0.4], std: [0.2], classes } as const;
    const before = tf.memory().numTensors;
    const done: number[] = [];
    const { features, probabilities } = await classifierFeatures({ name: "lenet5.mnist", model, info }, set, (n) =>
      done.push(n),
    );
    expect(tf.memory().numTensors).toBe(before);
    expect(done).toEqual([250, 253]);
    expect([features.count, features.dimensions]).toEqual([253, 84]);
    const [expected, logits] = tf.tidy(() => {
      const last = Float32Array.from(pixels.subarray(252 * 196), (pixel) => (pixel / 255 - 0.4) / 0.2);
      const image = tf.tensor4d(last, [1, 14, 14, 1]);
      return [embeddings(model, image).dataSync(), tf.softmax(model.predict(image) as tf.Tensor).dataSync()];
    });
    for (let i = 0; i < 84; i++) expect(features.values[252 * 84 + i]).toBeCloseTo(expected[i], 5);
    for (let k = 0; k < 3; k++) expect(probabilities[252 * 3 + k]).toBeCloseTo(logits[k], 6);
    model.dispose();
  });

  it("of grey images of another size are those of the resized ones in three channels", async () => {
    const model = resnetCifar({ n: 1, widths: [4, 6, 8], inputShape: [8, 8, 3], classes: 3 });
    const info = { inputShape: [8, 8, 3], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], classes } as const;
    const network = { name: "resnet8", model, info };
    // Each pixel four times: halving it gives it back.
    const { pixels, set } = imagesOf(2, [8, 8, 1]);
    const doubled = Uint8Array.from({ length: 2 * 16 * 16 }, (_, i) => {
      const [n, y, x] = [i >> 8, (i >> 4) & 15, i & 15];
      return pixels[n * 64 + (y >> 1) * 8 + (x >> 1)];
    });
    const large = inMemoryImages(doubled, new Uint16Array(2), [16, 16, 1]);
    const coloured = inMemoryImages(
      Uint8Array.from({ length: 3 * pixels.length }, (_, i) => pixels[Math.floor(i / 3)]),
      new Uint16Array(2),
      [8, 8, 3],
    );
    const [a, b, c] = [set, large, coloured].map((images) => classifierFeatures(network, images));
    const expected = (await c).features.values;
    for (const { features } of [await a, await b]) {
      for (const [i, value] of features.values.entries()) expect(value).toBeCloseTo(expected[i], 5);
    }
    model.dispose();
  });

  it("refuses channels that do not fit, none, and a network that has no finite outputs", async () => {
    const model = lenet5({ inputShape: [14, 14, 1], classes: 3 });
    const info = { inputShape: [14, 14, 1], mean: [0], std: [1], classes } as const;
    const network = { name: "lenet5.mnist", model, info };
    await expect(classifierFeatures(network, imagesOf(2, [14, 14, 3]).set)).rejects.toThrow(
      /^lenet5.mnist reads images of 1 channel\(s\), and these have 3/,
    );
    await expect(classifierFeatures(network, imagesOf(0, [14, 14, 1]).set)).rejects.toThrow(/^no images/);
    const broken = { ...network, info: { ...info, std: [0] } };
    await expect(classifierFeatures(broken, imagesOf(2, [14, 14, 1]).set)).rejects.toThrow(/^image 0 has a feature/);
    model.dispose();
  });
});
