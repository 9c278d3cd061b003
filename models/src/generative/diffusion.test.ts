import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../random.ts";
import {
  checkPrediction,
  denoised,
  minSnrWeight,
  type Prediction,
  posterior,
  predictions,
  qSample,
  targetOf,
} from "./diffusion.ts";
import { noiseSchedule } from "./noise-schedule.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const schedule = noiseSchedule("linear", 1000);
const SHAPE = [3, 2, 2, 1];

/** Images in [−1, 1], and noise. */
function given() {
  const random = randomStream(1, "test");
  const drawn = (sample: () => number) => Float32Array.from({ length: tf.util.sizeFromShape(SHAPE) }, sample);
  const [x0, noise] = [drawn(() => 2 * random.uniform() - 1), drawn(() => random.normal())];
  return { x0: tf.tensor(x0, SHAPE), noise: tf.tensor(noise, SHAPE) };
}

describe("qSample", () => {
  it("mixes images and noise by eq. 4, at one time or at each image's own", () => {
    const { x0, noise } = given();
    const before = tf.memory().numTensors;
    const [same, own] = [qSample(schedule, x0, 500, noise), qSample(schedule, x0, [0, 500, 999], noise)];
    expect(tf.memory().numTensors).toBe(before + 2);
    const mixed = (i: number, t: number) => {
      const a = schedule.alphaBar[t];
      return Math.sqrt(a) * x0.dataSync()[i] + Math.sqrt(1 - a) * noise.dataSync()[i];
    };
    for (let i = 0; i < x0.size; i++) {
      expect(same.dataSync()[i]).toBeCloseTo(mixed(i, 500), 6);
      expect(own.dataSync()[i]).toBeCloseTo(mixed(i, [0, 500, 999][Math.floor(i / 4)]), 6);
    }
    tf.dispose([x0, noise, same, own]);
  });

  it("refuses times that are none, or not one for each image", () => {
    const { x0, noise } = given();
    const before = tf.memory().numTensors;
    expect(() => qSample(schedule, x0, 1000, noise)).toThrow(/^time 1000 is not in this noise schedule/);
    expect(() => qSample(schedule, x0, [1, 2], noise)).toThrow("3 image(s) got 2 time(s); expected one each");
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x0, noise]);
  });
});

describe.each(predictions)("a network that predicts %s", (prediction) => {
  it("tells image and noise, without a leak", () => {
    const { x0, noise } = given();
    for (const t of [0, 300, [1, 20, 700]]) {
      const xt = qSample(schedule, x0, t, noise);
      const before = tf.memory().numTensors;
      const output = targetOf(prediction, schedule, { x0, noise, t });
      const seen = denoised(prediction, schedule, { xt, output, t });
      expect(tf.memory().numTensors).toBe(before + 3);
      for (const [found, expected] of [
        [seen.x0, x0],
        [seen.epsilon, noise],
      ]) {
        // At the first time next to nothing of x_t is noise, and it is told from x₀ with few digits left.
        const worst = tf.tidy(() => tf.max(tf.abs(tf.sub(found, expected))).dataSync()[0]);
        expect(worst).toBeLessThan(3e-5);
      }
      tf.dispose([xt, output, seen.x0, seen.epsilon]);
    }
    tf.dispose([x0, noise]);
  });

  it("gives an image in [−1, 1] and the noise that goes with it when asked", () => {
    const xt = tf.tensor([3, -3, 0.1], [1, 3, 1, 1]);
    const output = tf.tensor([-0.5, 0.5, 0.05], [1, 3, 1, 1]);
    const [free, within] = [false, true].map((clip) => denoised(prediction, schedule, { xt, output, t: 300, clip }));
    const [signal, spread] = [Math.sqrt(schedule.alphaBar[300]), Math.sqrt(1 - schedule.alphaBar[300])];
    for (let i = 0; i < 3; i++) {
      const image = Math.min(1, Math.max(-1, free.x0.dataSync()[i]));
      expect(within.x0.dataSync()[i]).toBe(image);
      expect(within.epsilon.dataSync()[i]).toBeCloseTo((xt.dataSync()[i] - signal * image) / spread, 5);
    }
    tf.dispose([xt, output, free.x0, free.epsilon, within.x0, within.epsilon]);
  });
});

describe("v", () => {
  it("is √ᾱ ε − √(1 − ᾱ) x₀", () => {
    const { x0, noise } = given();
    const target = targetOf("v", schedule, { x0, noise, t: 400 });
    const a = schedule.alphaBar[400];
    for (let i = 0; i < x0.size; i++) {
      const v = Math.sqrt(a) * noise.dataSync()[i] - Math.sqrt(1 - a) * x0.dataSync()[i];
      expect(target.dataSync()[i]).toBeCloseTo(v, 6);
    }
    tf.dispose([x0, noise, target]);
  });
});

describe("the posterior", () => {
  it("is eq. 7's, step by step", () => {
    const { alpha, alphaBar, beta, posteriorVariance } = schedule;
    for (const t of [1, 10, 999]) {
      const found = posterior(schedule, t);
      expect(found.ofImage).toBeCloseTo((Math.sqrt(alphaBar[t - 1]) * beta[t]) / (1 - alphaBar[t]), 12);
      expect(found.ofNoisy).toBeCloseTo((Math.sqrt(alpha[t]) * (1 - alphaBar[t - 1])) / (1 - alphaBar[t]), 12);
      expect(found.variance).toBeCloseTo(posteriorVariance[t], 12);
      expect(found.beta).toBeCloseTo(beta[t], 12);
    }
  });

  it("is the image itself at the end", () => {
    const { ofImage, ofNoisy, variance } = posterior(schedule, 0);
    expect(ofImage).toBeCloseTo(1, 12);
    expect([ofNoisy, variance]).toEqual([0, 0]);
  });

  it("of two steps is what Bayes's rule says of Gaussians", () => {
    // q(x_s | x_t, x₀) ∝ q(x_t | x_s) q(x_s | x₀), whose precisions add up.
    const [t, s] = [600, 123];
    const { alphaBar } = schedule;
    const alpha = alphaBar[t] / alphaBar[s];
    const precision = alpha / (1 - alpha) + 1 / (1 - alphaBar[s]);
    const found = posterior(schedule, t, s);
    expect(found.variance).toBeCloseTo(1 / precision, 12);
    expect(found.ofNoisy).toBeCloseTo(Math.sqrt(alpha) / (1 - alpha) / precision, 12);
    expect(found.ofImage).toBeCloseTo(Math.sqrt(alphaBar[s]) / (1 - alphaBar[s]) / precision, 12);
  });

  it("refuses to step forward", () => {
    expect(() => posterior(schedule, 3, 3)).toThrow("a step back from time 3 got the time 3; expected an earlier one");
  });
});

describe("min-SNR weights", () => {
  it("are the paper's", () => {
    const snr = (t: number) => schedule.alphaBar[t] / (1 - schedule.alphaBar[t]);
    for (const t of [3, 400, 900]) {
      const least = Math.min(snr(t), 5);
      expect(minSnrWeight("epsilon", schedule, t, 5)).toBeCloseTo(least / snr(t), 12);
      expect(minSnrWeight("x0", schedule, t, 5)).toBeCloseTo(least, 12);
      expect(minSnrWeight("v", schedule, t, 5)).toBeCloseTo(least / (snr(t) + 1), 12);
    }
    expect(minSnrWeight("epsilon", schedule, 900, 5)).toBe(1);
  });
});

it("a prediction that is none is refused", () => {
  expect(() => checkPrediction("score" as Prediction)).toThrow(
    'unknown prediction "score": expected one of epsilon, x0, v',
  );
});
