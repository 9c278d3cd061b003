import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../random.ts";
import { predictions } from "./diffusion.ts";
import { logDiscretisedGaussian } from "./discretised-gaussian.ts";
import { bestDenoiser, bestImage } from "./gaussian-data.ts";
import { noiseSchedule } from "./noise-schedule.ts";
import { type BoundOptions, variationalBound } from "./variational-bound.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const data = { mean: 0.1, deviation: 0.2 };
const random: BoundOptions["random"] = (...path) => randomStream(3, ...path);

/** Pixels of 256 values, drawn from the data. */
function pixelsOf(shape: readonly number[]): number[] {
  const stream = randomStream(8, "pixels");
  return Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => {
    const x = data.mean + data.deviation * stream.normal();
    return (2 * Math.min(255, Math.max(0, Math.round((255 * (x + 1)) / 2)))) / 255 - 1;
  });
}

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

describe.each(["posterior", "beta"] as const)("the bound, with the variance %s", (variance) => {
  const schedule = noiseSchedule("linear", 40);
  const shape = [2, 3, 2, 1];
  const pixels = pixelsOf(shape);

  it.each(predictions)("is the sum of its terms in doubles, for a network that predicts %s", async (prediction) => {
    const before = tf.memory().numTensors;
    const x0 = tf.tensor(pixels, shape);
    const denoise = bestDenoiser(schedule, data, { prediction });
    const found = await variationalBound(x0, { denoise, schedule, prediction, variance, clip: false, random });
    x0.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(found.terms.map(({ t }) => t)).toEqual(Array.from({ length: 40 }, (_, t) => t));
    for (const n of [0, 1]) {
      const image = pixels.slice(6 * n, 6 * n + 6);
      const { beta, alphaBar, alpha } = schedule;
      // Eq. 5, term by term, with the posterior as eq. 7 has it.
      const kl = (m1: number, v1: number, m2: number, v2: number) =>
        0.5 * (Math.log(v2 / v1) + (v1 + (m1 - m2) ** 2) / v2 - 1);
      const last = alphaBar[39];
      const prior = sum(image.map((x) => kl(Math.sqrt(last) * x, 1 - last, 0, 1)));
      expect(found.prior[n]).toBeCloseTo(prior / 6 / Math.LN2, 7);
      let total = prior;
      for (let t = 0; t < 40; t++) {
        const stream = random("bound", t, n);
        const { k, c } = bestImage(data, schedule, t);
        const previous = t === 0 ? 1 : alphaBar[t - 1];
        const small = (beta[t] * (1 - previous)) / (1 - alphaBar[t]);
        const term = sum(
          image.map((x) => {
            const xt = Math.sqrt(alphaBar[t]) * x + Math.sqrt(1 - alphaBar[t]) * stream.normal();
            const seen = k * xt + c;
            if (t === 0) return -logDiscretisedGaussian(x, seen, Math.sqrt(schedule.posteriorVariance[1]));
            const mean = (of: number) =>
              (Math.sqrt(previous) * beta[t] * of + Math.sqrt(alpha[t]) * (1 - previous) * xt) / (1 - alphaBar[t]);
            return kl(mean(x), small, mean(seen), variance === "beta" ? beta[t] : small);
          }),
        );
        expect(found.terms[t].bits[n]).toBeCloseTo(term / 6 / Math.LN2, 3);
        total += term;
      }
      expect(found.total[n] / (total / 6 / Math.LN2)).toBeCloseTo(1, 4);
    }
  });
});

describe("the bound", () => {
  it("of the best denoiser is next to what the data take, and not below", async () => {
    const shape = [2, 32, 32, 1];
    const pixels = pixelsOf(shape);
    const schedule = noiseSchedule("cosine", 400);
    const x0 = tf.tensor(pixels, shape);
    // The step back from such smooth data has a variance near β, and the bound with β̃ is half a bit above.
    const denoise = bestDenoiser(schedule, data);
    const { total, prior } = await variationalBound(x0, { denoise, schedule, random, variance: "beta" });
    x0.dispose();
    const entropy =
      -sum(pixels.map((x) => logDiscretisedGaussian(x, data.mean, data.deviation))) / pixels.length / Math.LN2;
    const mean = sum(total) / 2;
    expect(mean).toBeGreaterThan(entropy);
    expect(mean).toBeLessThan(entropy + 0.15);
    expect(Math.max(...prior)).toBeLessThan(1e-5);
  });

  it("has the prior of Ho's section 4, some 1e-5 bits per dimension", async () => {
    const x0 = tf.tensor(pixelsOf([1, 8, 8, 1]), [1, 8, 8, 1]);
    const schedule = noiseSchedule("linear", 1000);
    const { prior } = await variationalBound(x0, { denoise: bestDenoiser(schedule, data), schedule, random, times: 1 });
    x0.dispose();
    expect(prior[0]).toBeGreaterThan(1e-7);
    expect(prior[0]).toBeLessThan(2e-5);
  });

  it("of times at random is right in the mean", async () => {
    const schedule = noiseSchedule("cosine", 60);
    const shape = [1, 16, 16, 1];
    const x0 = tf.tensor(pixelsOf(shape), shape);
    const denoise = bestDenoiser(schedule, data);
    const all = await variationalBound(x0, { denoise, schedule, random });
    const estimates: number[] = [];
    for (let seed = 0; seed < 60; seed++) {
      const own: BoundOptions["random"] = (...path) => randomStream(seed, ...path);
      const { total, terms } = await variationalBound(x0, { denoise, schedule, random: own, times: 12 });
      expect(terms).toHaveLength(13);
      estimates.push(total[0]);
    }
    const mean = sum(estimates) / 60;
    const error = Math.sqrt(sum(estimates.map((estimate) => (estimate - mean) ** 2)) / 60 / 59);
    expect(Math.abs(mean - all.total[0])).toBeLessThan(3 * error);
    expect(error).toBeLessThan(0.1);
    const { total } = await variationalBound(x0, { denoise, schedule, random, times: 59 });
    expect(total[0]).toBeCloseTo(all.total[0], 10);
    x0.dispose();
  });

  it("follows from an image's number, and tells how far it has come", async () => {
    const schedule = noiseSchedule("linear", 20);
    const shape = [3, 4, 4, 1];
    const x0 = tf.tensor(pixelsOf(shape), shape);
    const last = tf.slice(x0, [2, 0, 0, 0], [1, 4, 4, 1]);
    const options = { denoise: bestDenoiser(schedule, data), schedule, random };
    const seen: string[] = [];
    const all = await variationalBound(x0, { ...options, onTime: (done, times) => void seen.push(`${done}/${times}`) });
    const own = await variationalBound(last, { ...options, first: 2 });
    expect(own.total[0]).toBeCloseTo(all.total[2], 10);
    expect(seen.slice(-2)).toEqual(["19/20", "20/20"]);
    tf.dispose([x0, last]);
  });

  it.each([0, 20, 1.5])("refuses %d times in one line", async (times) => {
    const schedule = noiseSchedule("linear", 20);
    const x0 = tf.zeros([1, 2, 2, 1]);
    const denoise = bestDenoiser(schedule, data);
    await expect(variationalBound(x0, { denoise, schedule, random, times })).rejects.toThrow(
      `the variational bound got ${times} time(s); expected an integer from 1 to 19`,
    );
    x0.dispose();
  });
});
