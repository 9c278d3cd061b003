import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { occlusion } from "./occlusion.ts";
import { testImages, testNetworks } from "./test-networks.ts";

beforeAll(() => tf.setBackend("cpu"));

describe("occlusion", () => {
  it("is the class's probability of each image with its square hidden, whatever the batches", async () => {
    const model = testNetworks.resnet();
    const image = testImages(model, 1);
    const before = tf.memory().numTensors;
    const places: number[] = [];
    const onPlaces = (done: number) => {
      places.push(done);
    };
    const options = { size: 4, stride: 2, classIndex: 1, batchSize: 5, onPlaces };
    const { probability, whole } = await occlusion(model, image, options);
    expect(tf.memory().numTensors).toBe(before + 1);
    expect(probability.shape).toEqual([4, 4]);
    expect(places).toEqual([5, 10, 15, 16]);
    const probabilityOf = (x: tf.Tensor) => tf.softmax(model.apply(x) as tf.Tensor2D).dataSync()[1];
    tf.tidy(() => {
      expect(whole).toBeCloseTo(probabilityOf(image), 5);
      const pixels = image.arraySync();
      const found = probability.arraySync();
      for (let row = 0; row < 4; row++) {
        for (let column = 0; column < 4; column++) {
          const hidden = pixels[0].map((line, y) =>
            line.map((place, x) =>
              Math.abs(y - 2 * row - 0.5) < 2 && Math.abs(x - 2 * column - 0.5) < 2 ? [0, 0, 0] : place,
            ),
          );
          expect(found[row][column]).toBeCloseTo(probabilityOf(tf.tensor4d([hidden])), 5);
        }
      }
    });
    tf.dispose([probability, image]);
    model.dispose();
  });

  it("covers an image that the stride does not divide, and takes what the network says", async () => {
    const model = testNetworks.lenet();
    const image = testImages(model, 1);
    const { probability, classIndex, size, stride } = await occlusion(model, image, { stride: 5 });
    expect(probability.shape).toEqual([3, 3]);
    expect([size, stride]).toEqual([4, 5]);
    expect(classIndex).toBe(tf.tidy(() => tf.argMax(model.apply(image) as tf.Tensor2D, 1).dataSync()[0]));
    tf.dispose([probability, image]);
    model.dispose();
  });

  it("is ended by whoever is told how far it is, and leaves nothing", async () => {
    const model = testNetworks.lenet();
    const image = testImages(model, 1);
    const before = tf.memory().numTensors;
    const places: number[] = [];
    async function onPlaces(done: number): Promise<void> {
      places.push(done);
      throw new Error("enough");
    }
    await expect(occlusion(model, image, { batchSize: 7, onPlaces })).rejects.toThrow("enough");
    expect(places).toEqual([7]);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([image]);
    model.dispose();
  });

  it("refuses a square of no pixels, and a class that there isn't", async () => {
    const model = testNetworks.lenet();
    const image = testImages(model, 1);
    await expect(occlusion(model, image, { size: 0 })).rejects.toThrow("size 0 of the hiding square");
    await expect(occlusion(model, image, { stride: 1.5 })).rejects.toThrow("stride 1.5");
    await expect(occlusion(model, image, { classIndex: -1 })).rejects.toThrow("there is no class -1");
    tf.dispose([image]);
    model.dispose();
  });
});
