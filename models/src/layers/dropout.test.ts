import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Dropout, SpatialDropout, StochasticDepth } from "./dropout.ts";

beforeAll(() => tf.setBackend("cpu"));

const shape: [number, number, number, number] = [40, 3, 3, 5];
const rate = 0.4;

/** Factors of a layer in training, by image, pixel and channel. */
function factors(layer: Dropout, step = 1): number[][][] {
  layer.randomness = { seed: 3, step };
  const y = layer.call(tf.ones(shape), { training: true });
  return tf.reshape(y, [40, 9, 5]).arraySync() as number[][][];
}

const layers = { Dropout, SpatialDropout, StochasticDepth };

describe.each(Object.entries(layers))("%s", (_, Layer) => {
  it("drops by its rate, scales what stays, and draws the same for the same step", () => {
    const all = factors(new Layer({ name: "drop", rate })).flat(2);
    for (const value of all) expect([0, Math.fround(1 / (1 - rate))]).toContain(value);
    const dropped = all.filter((value) => value === 0).length / all.length;
    expect(dropped).toBeGreaterThan(0.2);
    expect(dropped).toBeLessThan(0.6);
    expect(factors(new Layer({ name: "drop", rate })).flat(2)).toEqual(all);
    expect(factors(new Layer({ name: "drop", rate }), 2).flat(2)).not.toEqual(all);
  });

  it("passes on what it gets in inference", () => {
    const x = tf.randomNormal(shape);
    expect([...new Layer({ name: "drop", rate }).call(x).dataSync()]).toEqual([...x.dataSync()]);
  });
});

it("SpatialDropout drops a channel of an image as a whole, and not all of them", () => {
  const images = factors(new SpatialDropout({ name: "drop", rate }));
  for (const pixels of images) for (const pixel of pixels) expect(pixel).toEqual(pixels[0]);
  expect(images.some(([pixel]) => new Set(pixel).size === 2)).toBe(true);
});

it("StochasticDepth drops an image as a whole, and not all of them", () => {
  const images = factors(new StochasticDepth({ name: "drop", rate })).map((image) => new Set(image.flat()));
  for (const values of images) expect(values.size).toBe(1);
  expect(new Set(images.map(([value]) => value)).size).toBe(2);
});
