import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { softmaxCrossEntropy } from "../ops/softmax-cross-entropy.ts";
import { correctUnderAttack, fgsm } from "./fgsm.ts";
import { normalised, pixelsOf } from "./pixel-range.ts";
import { normalTensor, testNetworks } from "./test-networks.ts";

beforeAll(() => tf.setBackend("cpu"));

const normalisation = { mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.3] };
const epsilon = 4 / 255;

/** Normalised images of pixels in 0..1, and what the network says of them. */
function said(model: ReturnType<typeof testNetworks.resnet>, batch = 16) {
  return tf.tidy(() => {
    const noise = tf.sigmoid(normalTensor([batch, 8, 8, 3], 5)) as tf.Tensor4D;
    const images = normalised(noise, normalisation);
    return { images, labels: tf.argMax(model.apply(images) as tf.Tensor2D, 1) as tf.Tensor1D };
  });
}

describe("fgsm", () => {
  it("moves pixels by epsilon, no further than black and white, and raises the loss", () => {
    const model = testNetworks.resnet();
    const { images, labels } = said(model);
    const before = tf.memory().numTensors;
    const moved = fgsm(model, images, labels, epsilon, normalisation);
    expect(tf.memory().numTensors).toBe(before + 1);
    tf.tidy(() => {
      const [from, to] = [images, moved].map((x) => pixelsOf(x, normalisation).dataSync());
      for (const [i, pixel] of to.entries()) {
        expect(pixel).toBeGreaterThan(-1e-6);
        expect(pixel).toBeLessThan(1 + 1e-6);
        expect(Math.abs(pixel - from[i])).toBeLessThan(epsilon + 1e-6);
      }
      const movedFully = to.filter((pixel, i) => Math.abs(Math.abs(pixel - from[i]) - epsilon) < 1e-6).length;
      expect(movedFully / to.length).toBeGreaterThan(0.9);
      const loss = (x: tf.Tensor) => softmaxCrossEntropy({ logits: model.apply(x) as tf.Tensor, labels }).dataSync()[0];
      expect(loss(moved)).toBeGreaterThan(loss(images));
    });
    tf.dispose([moved, images, labels]);
    model.dispose();
  });

  it("moves each pixel as the sign of the loss's gradient says", () => {
    const model = testNetworks.resnet();
    const { images, labels } = said(model, 4);
    const moved = fgsm(model, images, labels, epsilon, normalisation);
    tf.tidy(() => {
      const loss = (x: tf.Tensor) => softmaxCrossEntropy({ logits: model.apply(x) as tf.Tensor, labels }) as tf.Scalar;
      const gradient = tf.grad(loss)(images).dataSync();
      const step = tf.sub(moved, images).dataSync();
      const largest = Math.max(...gradient.map(Math.abs));
      for (const [i, slope] of gradient.entries()) {
        if (Math.abs(slope) > 1e-3 * largest && step[i] !== 0) expect(Math.sign(step[i])).toBe(Math.sign(slope));
      }
    });
    tf.dispose([moved, images, labels]);
    model.dispose();
  });

  it("finds the way where the network is so sure that its loss is 0", async () => {
    const model = testNetworks.resnet();
    const { images, labels } = said(model);
    const unsure = await correctUnderAttack(model, images, labels, [epsilon], normalisation);
    tf.tidy(() => {
      const last = model.getLayer("fc");
      last.setWeights(last.getWeights().map((weight) => tf.mul(weight, 1e5)));
    });
    const loss = tf.tidy(() => softmaxCrossEntropy({ logits: model.apply(images) as tf.Tensor, labels }).dataSync()[0]);
    expect(loss).toBeLessThan(1e-6);
    const sure = await correctUnderAttack(model, images, labels, [epsilon], normalisation);
    expect(unsure[0]).toBeLessThan(16);
    expect(sure[0]).toBeLessThanOrEqual(unsure[0] + 1);
    tf.dispose([images, labels]);
    model.dispose();
  });

  it("stops at black and white", () => {
    const model = testNetworks.resnet();
    const images = tf.tidy(() => normalised(tf.zeros([1, 8, 8, 3]), normalisation));
    const labels = tf.tensor1d([0], "int32");
    const moved = fgsm(model, images, labels, 2, normalisation);
    const pixels = tf.tidy(() => pixelsOf(moved, normalisation).dataSync());
    const rounded = new Set(Array.from(pixels, (pixel) => Math.round(pixel * 1e4) / 1e4 + 0));
    expect([...rounded].sort()).toEqual([0, 1]);
    tf.dispose([moved, images, labels]);
    model.dispose();
  });
});

describe("correctUnderAttack", () => {
  it("counts all images unmoved, and fewer the further they are moved", async () => {
    const model = testNetworks.resnet();
    const { images, labels } = said(model);
    const before = tf.memory().numTensors;
    const correct = await correctUnderAttack(model, images, labels, [0, epsilon, 0.2], normalisation);
    expect(tf.memory().numTensors).toBe(before);
    expect(correct[0]).toBe(16);
    expect(correct[1]).toBeLessThan(16);
    expect(correct[2]).toBeLessThan(correct[1]);
    const count = tf.tidy(() => {
      const attacked = fgsm(model, images, labels, epsilon, normalisation);
      const right = tf.equal(tf.argMax(model.apply(attacked) as tf.Tensor2D, 1), labels);
      return tf.sum(tf.cast(right, "float32")).dataSync()[0];
    });
    expect(count).toBe(correct[1]);
    tf.dispose([images, labels]);
    model.dispose();
  });
});
