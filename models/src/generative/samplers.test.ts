import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../random.ts";
import { ddimSample } from "./ddim-sampler.ts";
import { ddpmSample } from "./ddpm-sampler.ts";
import { type Prediction, posterior, predictions } from "./diffusion.ts";
import { dpmSolverSample } from "./dpm-solver.ts";
import { bestDenoiser, bestImage, noisy } from "./gaussian-data.ts";
import { noiseSchedule } from "./noise-schedule.ts";
import { type SamplerName, samplers } from "./samplers.ts";
import { evenTimes, halfLogSnr, logSnrTimes, type SampleOptions } from "./sampling.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const data = { mean: 0.3, deviation: 0.2 };
const names = Object.keys(samplers) as SamplerName[];
const seeded =
  (seed: number) =>
  (...path: (string | number)[]) =>
    randomStream(seed, ...path);

const options = (steps: number, more: Partial<SampleOptions> = {}): SampleOptions => {
  const schedule = more.schedule ?? noiseSchedule("linear", 1000);
  return {
    denoise: bestDenoiser(schedule, data),
    schedule,
    shape: [4, 3, 2, 1],
    steps,
    random: seeded(5),
    clip: false,
    ...more,
  };
};

async function valuesOf(sampled: Promise<tf.Tensor>): Promise<number[]> {
  const images = await sampled;
  const values = [...images.dataSync()];
  images.dispose();
  return values;
}

/** z of the noise that a sample begins from. */
const z = (image: number, schedule: SampleOptions["schedule"]) => {
  const { mean, deviation } = noisy(data, schedule, schedule.steps - 1);
  return (image - mean) / deviation;
};

/** The noise that the options' samples begin from. */
const starts = ({ shape, random }: SampleOptions): number[] =>
  Array.from({ length: shape[0] }, (_, n) => {
    const stream = random("start", n);
    return Array.from({ length: tf.util.sizeFromShape(shape.slice(1)) }, () => Math.fround(stream.normal()));
  }).flat();

const worst = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

/** The deviation of what DDPM's steps make of the best denoiser: x_s = (ofImage k + ofNoisy) x_t + … + σ z. */
function ddpmDeviation(schedule: SampleOptions["schedule"], kind: "posterior" | "beta"): number {
  let square = 1;
  for (let t = schedule.steps - 1; t >= 0; t--) {
    const { ofImage, ofNoisy, variance, beta } = posterior(schedule, t);
    const factor = ofImage * bestImage(data, schedule, t).k + ofNoisy;
    square = factor ** 2 * square + (t === 0 ? 0 : kind === "beta" ? beta : variance);
  }
  return Math.sqrt(square);
}

describe.each(["posterior", "beta"] as const)("DDPM, with the variance %s", (variance) => {
  it("draws what its steps come to", async () => {
    const schedule = noiseSchedule("linear", 200);
    const values = await valuesOf(ddpmSample({ ...options(200, { schedule, shape: [64, 8, 8, 1] }), variance }));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    // Of 4096 draws: three standard errors of each.
    expect(Math.abs(mean - data.mean)).toBeLessThan((3 * data.deviation) / 64);
    expect(Math.abs(deviation / ddpmDeviation(schedule, variance) - 1)).toBeLessThan(3 / Math.sqrt(2 * 4096));
  });

  it("comes the nearer to the data, the more steps there are", () => {
    const off = [200, 1000, 4000].map((steps) =>
      Math.abs(ddpmDeviation(noiseSchedule("linear", steps), variance) / data.deviation - 1),
    );
    expect(off[1]).toBeLessThan(off[0] / 3);
    expect(off[2]).toBeLessThan(off[1] / 3);
    expect(off[1]).toBeLessThan(0.02);
  });
});

describe("DDIM", () => {
  it.each(["linear", "cosine"] as const)("follows the probability flow, on the %s schedule", async (name) => {
    const schedule = noiseSchedule(name, 1000);
    const given = options(1000, { schedule });
    // The flow keeps z: it only moves and stretches a Gaussian.
    const exact = starts(given).map((start) => data.mean + data.deviation * z(start, schedule));
    const errors: number[] = [];
    for (const steps of [50, 100, 1000]) {
      errors.push(worst(await valuesOf(ddimSample({ ...given, steps })), exact));
    }
    expect(errors[1]).toBeLessThan(0.7 * errors[0]);
    expect(errors[2]).toBeLessThan(0.01);
  });

  it("with η = 1 is DDPM", async () => {
    const given = options(20);
    expect(worst(await valuesOf(ddimSample({ ...given, eta: 1 })), await valuesOf(ddpmSample(given)))).toBeLessThan(
      1e-5,
    );
    expect(
      worst(await valuesOf(ddimSample({ ...given, eta: 0.5 })), await valuesOf(ddpmSample(given))),
    ).toBeGreaterThan(0.01);
  });

  it("refuses an η that is none", async () => {
    await expect(ddimSample({ ...options(5), eta: 1.5 })).rejects.toThrow(
      "DDIM got η = 1.5; expected a number from 0 to 1",
    );
  });
});

describe("DPM-Solver++", () => {
  it("converges in order 2", async () => {
    const schedule = noiseSchedule("linear", 4000);
    const given = options(1, { schedule });
    const last = noisy(data, schedule, 0);
    const { k, c } = bestImage(data, schedule, 0);
    // The flow up to time 0, and there what is seen as the image.
    const exact = starts(given).map((start) => k * (last.mean + last.deviation * z(start, schedule)) + c);
    const errors: number[] = [];
    for (const steps of [20, 40, 80]) {
      errors.push(worst(await valuesOf(dpmSolverSample({ ...given, steps })), exact));
    }
    expect(errors[0] / errors[1]).toBeGreaterThan(3.3);
    expect(errors[1] / errors[2]).toBeGreaterThan(3.3);
    expect(errors[2]).toBeLessThan(0.001);
  });

  it("needs fewer steps than DDIM", async () => {
    const given = options(10);
    const exact = starts(given).map((start) => data.mean + data.deviation * z(start, given.schedule));
    const [solver, ddim] = [await valuesOf(dpmSolverSample(given)), await valuesOf(ddimSample(given))];
    expect(worst(solver, exact)).toBeLessThan(worst(ddim, exact) / 2);
  });

  it("takes even times too", async () => {
    const seen: number[] = [];
    const given = options(4, { onStep: ({ t }) => void seen.push(t) });
    await valuesOf(dpmSolverSample({ ...given, spacing: "time" }));
    expect(seen).toEqual([999, 749, 499, 249]);
  });
});

describe("times", () => {
  const schedule = noiseSchedule("cosine", 1000);

  it("are all of the schedule's when there are as many steps", () => {
    const all = Array.from({ length: 1000 }, (_, i) => 999 - i);
    expect(evenTimes(schedule)).toEqual(all);
    expect(logSnrTimes(schedule)).toEqual(all);
  });

  it("fall, begin with the last and are even", () => {
    expect(evenTimes(schedule, 5)).toEqual([999, 799, 599, 399, 199]);
    for (const steps of [1, 2, 3, 10, 50, 999]) {
      const times = logSnrTimes(schedule, steps);
      expect(times).toHaveLength(steps);
      expect(times[0]).toBe(999);
      expect(times.every((t, i) => i === 0 || t < times[i - 1])).toBe(true);
    }
    const lambdas = logSnrTimes(schedule, 10).map((t) => halfLogSnr(schedule, t));
    const distances = lambdas.slice(2).map((lambda, i) => lambda - lambdas[i + 1]);
    for (const distance of distances) expect(distance / distances[0]).toBeCloseTo(1, 0);
  });
});

describe.each(names)("%s", (name) => {
  const sample = samplers[name];

  it("gives the same whatever the network predicts", async () => {
    const schedule = noiseSchedule("cosine", 100);
    const [first, ...others] = await Promise.all(
      predictions.map((prediction) =>
        valuesOf(sample(options(10, { schedule, prediction, denoise: bestDenoiser(schedule, data, { prediction }) }))),
      ),
    );
    // From nothing but noise an image is told from ε with few digits left.
    for (const other of others) expect(worst(other, first)).toBeLessThan(2e-3);
  });

  it("gives the same images for a seed, in any batches", async () => {
    const given = options(6);
    const images = await valuesOf(sample(given));
    expect(await valuesOf(sample(given))).toEqual(images);
    expect(await valuesOf(sample({ ...given, random: seeded(6) }))).not.toEqual(images);
    const [, height, width, channels] = given.shape;
    const two = await valuesOf(sample({ ...given, shape: [2, height, width, channels], first: 2 }));
    expect(two).toEqual(images.slice(images.length / 2));
  });

  it("begins from the noise it is given, and leaves it", async () => {
    const given = options(6);
    const start = tf.tensor(starts(given), [...given.shape]);
    expect(await valuesOf(sample({ ...given, start }))).toEqual(await valuesOf(sample(given)));
    expect(start.isDisposed).toBe(false);
    const shape = [1, ...given.shape.slice(1)];
    await expect(sample({ ...given, start, shape })).rejects.toThrow(
      /noise of shape \[4,3,2,1\] to begin from; expected \[1/,
    );
    start.dispose();
  });

  it("keeps images in [−1, 1] when asked", async () => {
    const schedule = noiseSchedule("linear", 50);
    const denoise = bestDenoiser(schedule, { mean: 0, deviation: 3 });
    for (const clip of [true, undefined]) {
      const values = await valuesOf(sample(options(10, { schedule, denoise, clip })));
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1);
    }
    const free = await valuesOf(sample(options(10, { schedule, denoise })));
    expect(Math.max(...free.map(Math.abs))).toBeGreaterThan(1);
  });

  it("shows every step, and frees all", async () => {
    const before = tf.memory().numTensors;
    const seen: number[] = [];
    const given = options(5, {
      onStep: async ({ step, steps, x, x0 }) => {
        await Promise.resolve();
        expect([steps, x.shape, x0.shape]).toEqual([5, [4, 3, 2, 1], [4, 3, 2, 1]]);
        expect((await x0.data()).every(Number.isFinite)).toBe(true);
        seen.push(step);
      },
    });
    const images = await sample(given);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(tf.memory().numTensors).toBe(before + 1);
    images.dispose();
    const stop = ({ step }: { step: number }) => {
      if (step === 3) throw new Error("stopped");
    };
    await expect(sample({ ...given, onStep: stop })).rejects.toThrow("stopped");
    const failing = () => {
      throw new Error("no network");
    };
    const guidance = { labels: [0, 0, 0, 0], classes: 1, strength: 1 };
    await expect(sample({ ...given, denoise: failing, guidance })).rejects.toThrow("no network");
    expect(tf.memory().numTensors).toBe(before);
  });

  it("makes images of classes", async () => {
    const schedule = noiseSchedule("cosine", 200);
    const narrow = { mean: 0, deviation: 0.01 };
    // The null class's images lie around 0, where the network that knows no class would put them.
    const meanOf = (label: number) => [0.5, -0.5, 0][label];
    const means: number[][] = [];
    for (const strength of [undefined, 0, 0.5]) {
      const guidance = { labels: [0, 1, 1, 0], classes: 2, strength };
      const denoise = bestDenoiser(schedule, narrow, { meanOf });
      const values = await valuesOf(sample(options(20, { schedule, denoise, guidance })));
      means.push([0, 1, 2, 3].map((n) => values.slice(6 * n, 6 * n + 6).reduce((sum, value) => sum + value / 6, 0)));
    }
    expect(means[1]).toEqual(means[0]);
    for (const [i, scale] of [1, 1, 1.5].entries()) {
      // (1 + w) times the distance from the null class's
      expect(
        worst(
          means[i],
          [0.5, -0.5, -0.5, 0.5].map((mean) => scale * mean),
        ),
      ).toBeLessThan(0.05);
    }
  });

  it.each<[string, Partial<SampleOptions>, RegExp]>([
    ["no steps", { steps: 0 }, /^sampling got 0 step\(s\); expected an integer from 1 to 1000, which/],
    ["half a step", { steps: 2.5 }, /^sampling got 2.5 step/],
    ["too many steps", { steps: 1001 }, /^sampling got 1001 step/],
    ["a class that is none", { guidance: { labels: [0, 1, 2, 3], classes: 3 } }, /the class 3; expected .* 0 to 2$/],
    ["too few classes", { guidance: { labels: [0], classes: 3 } }, /^sampling got 1 class\(es\) for 4 image\(s\)/],
    ["a negative guidance", { guidance: { labels: [0, 0, 0, 0], classes: 1, strength: -1 } }, /a guidance of -1; exp/],
    ["a prediction that is none", { prediction: "score" as Prediction }, /^unknown prediction "score"/],
  ])("refuses %s in one line", async (_, wrong, message) => {
    const before = tf.memory().numTensors;
    await expect(sample(options(5, wrong))).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });
});
