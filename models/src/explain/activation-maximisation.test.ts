import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { vit } from "../vision/vit.ts";
import { maximiseActivation } from "./activation-maximisation.ts";
import { featureMaps } from "./feature-maps.ts";
import { pixelsOf } from "./pixel-range.ts";
import { testNetworks } from "./test-networks.ts";

beforeAll(() => tf.setBackend("cpu"));

const normalisation = { mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.3] };

describe("maximiseActivation", () => {
  it("makes an image for each class, of valid pixels, whose score is above that of its beginning", async () => {
    const model = testNetworks.resnet();
    const before = tf.memory().numTensors;
    const faint = await maximiseActivation(model, { ...normalisation, steps: 0 });
    const strong = await maximiseActivation(model, { ...normalisation, steps: 30, smoothness: 0.05 });
    expect(tf.memory().numTensors).toBe(before + 2);
    expect(strong.images.shape).toEqual([4, 8, 8, 3]);
    expect(strong.units).toEqual([0, 1, 2, 3]);
    const gains = strong.activation.map((activation, k) => activation - faint.activation[k]);
    expect(Math.min(...gains)).toBeGreaterThan(0);
    expect(Math.max(...gains)).toBeGreaterThan(0.1);
    const pixels = tf.tidy(() => pixelsOf(strong.images, normalisation).dataSync());
    expect(Math.min(...pixels)).toBeGreaterThan(-1e-6);
    expect(Math.max(...pixels)).toBeLessThan(1 + 1e-6);
    const scores = tf.tidy(() => (model.apply(strong.images) as tf.Tensor2D).arraySync());
    for (const [k, activation] of strong.activation.entries()) expect(activation).toBeCloseTo(scores[k][k], 4);
    tf.dispose([faint.images, strong.images]);
    model.dispose();
  });

  it("excites channels of a layer, and gives the same image for the same seed", async () => {
    const model = testNetworks.lenet();
    const options = { mean: [0.1], std: [0.3], layer: "conv2", units: [3, 0], steps: 10 };
    const runs = [];
    for (const seed of [1, 1, 2]) runs.push(await maximiseActivation(model, { ...options, seed }));
    const [first, again, other] = runs.map(({ images }) => images.dataSync());
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const { activation, images } = runs[0];
    const { conv2 } = featureMaps(model, images, ["conv2"]);
    const means = tf.tidy(() => tf.mean(conv2, [1, 2]).arraySync() as number[][]);
    expect(activation[0]).toBeCloseTo(means[0][3], 4);
    expect(activation[1]).toBeCloseTo(means[1][0], 4);
    tf.dispose([conv2, ...runs.map((run) => run.images)]);
    model.dispose();
  });

  it("excites channels of tokens, by their mean over the tokens", async () => {
    const model = vit({ patchSize: 4, dim: 6, depth: 1, heads: 2, inputShape: [8, 8, 3], classes: 3, seed: 1 });
    const options = { ...normalisation, layer: "blocks.0.attn.qkv", units: [17, 2], steps: 3 };
    const { activation, images } = await maximiseActivation(model, options);
    const { [options.layer]: tokens } = featureMaps(model, images, [options.layer]);
    const means = tf.tidy(() => tf.mean(tokens, 1).arraySync() as number[][]);
    expect(activation[0]).toBeCloseTo(means[0][17], 4);
    expect(activation[1]).toBeCloseTo(means[1][2], 4);
    tf.dispose([tokens, images]);
    model.dispose();
  });

  it("ends after the step at which it is told to, and leaves nothing but its images", async () => {
    const model = testNetworks.lenet();
    const before = tf.memory().numTensors;
    const ended = new AbortController();
    const steps: number[] = [];
    const { images } = await maximiseActivation(model, {
      mean: [0.1],
      std: [0.3],
      units: [1],
      signal: ended.signal,
      async onStep(done) {
        await Promise.resolve();
        steps.push(done);
        if (done === 3) ended.abort();
      },
    });
    expect(steps).toEqual([1, 2, 3]);
    expect(tf.memory().numTensors).toBe(before + 1);
    images.dispose();
    model.dispose();
  });

  it("refuses a unit that the layer hasn't", async () => {
    const model = testNetworks.lenet();
    const options = { mean: [0.1], std: [0.3], layer: "conv1", units: [6] };
    await expect(maximiseActivation(model, options)).rejects.toThrow(
      "there is no unit 6 of conv1: it has 6, from 0 on",
    );
    model.dispose();
  });
});
