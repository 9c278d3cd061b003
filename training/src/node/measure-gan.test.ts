import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { type ImageDataset, inMemoryImages } from "@tfjs-zoo/datasets";
import { layers, randomStream } from "@tfjs-zoo/models";
import { beforeAll, expect, it } from "vitest";
import type { FeatureNetwork } from "../metrics/generative/index.ts";
import { measureGan } from "./train-gan.ts";

const COUNT = 200;
const PIXELS = 16;

/** Four classes: images of noise around four shades of grey. */
const shades = [0.2, 0.4, 0.6, 0.8];

function dataset(): ImageDataset {
  const random = randomStream(0, "shades");
  const labels = Uint16Array.from({ length: COUNT }, (_, i) => i % shades.length);
  const pixels = Uint8Array.from({ length: COUNT * PIXELS }, (_, i) =>
    Math.max(0, Math.min(255, 255 * (shades[labels[Math.floor(i / PIXELS)]] + 0.1 * random.normal()))),
  );
  const set = inMemoryImages(pixels, labels, [4, 4, 1]);
  return { name: "shades", classes: shades.map(String), shape: [4, 4, 1], mean: [0], std: [1], train: set, test: set };
}

/** Takes an image for the shade that is nearest to its mean m: the largest of 2 s m − s². */
function classifier(): FeatureNetwork {
  const model = tfl.sequential({
    layers: [
      tfl.layers.inputLayer({ inputShape: [4, 4, 1] }),
      new layers.Flatten({ name: "flatten" }),
      new layers.Dense({ units: 4, name: "fc" }),
    ],
  });
  const sharp = 300;
  const kernel = tf.tensor2d(Array.from({ length: PIXELS }, () => shades.map((s) => (sharp * 2 * s) / PIXELS)));
  model.getLayer("fc").setWeights([kernel, tf.tensor1d(shades.map((s) => -sharp * s * s))]);
  return { name: "shade", model, info: { inputShape: [4, 4, 1], mean: [0], std: [1], classes: shades.map(String) } };
}

/** A generator whose image has the numbers of z as its noise, around a shade; `kinds` shades are all that it knows. */
function generator(kinds: number, noise = 0.1) {
  class Shade extends tfl.layers.Layer {
    static className = `Shade${kinds}`;
    override computeOutputShape = () => [null, 4, 4, 1];
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      const z = Array.isArray(inputs) ? inputs[0] : inputs; // [batch, 16]
      const kind = Array.from({ length: z.shape[0] }, (_, i) => shades[i % kinds]);
      const images = tf.add(tf.mul(z, noise), tf.tensor2d(kind, [kind.length, 1])); // [batch, 16]
      return tf.reshape(tf.sub(tf.mul(tf.clipByValue(images, 0, 1), 2), 1), [-1, 4, 4, 1]);
    }
  }
  const input = tfl.input({ shape: [PIXELS] });
  const output = new Shade({}).apply(input) as tfl.SymbolicTensor;
  return { generator: tfl.model({ inputs: input, outputs: output }), latent: PIXELS, classes: undefined };
}

beforeAll(() => tf.setBackend("cpu"));

it("finds no sign of collapse in a generator of all classes", async () => {
  const { variety, collapse } = await measureGan(generator(4), dataset(), classifier());
  expect(collapse).toEqual([]);
  expect(variety).toBeGreaterThan(0.8);
});

it("says which classes one leaves out, though its images differ", async () => {
  const { collapse } = await measureGan(generator(2, 0.3), dataset(), classifier());
  expect(collapse[0]).toMatch(/^too few of 0\.6 .*, 0\.8 /);
  expect(collapse[1]).toMatch(/^too many of 0\.2 /);
});

it("tells images that repeat by themselves, without a classifier", async () => {
  const { variety, collapse } = await measureGan(generator(4, 0), dataset());
  expect(variety).toBeCloseTo(0, 5);
  expect(collapse).toEqual(["its images are alike: variety 0.00, of real ones 1"]);
});
