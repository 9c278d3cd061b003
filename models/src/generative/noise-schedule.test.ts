import { describe, expect, it } from "vitest";
import { alphaBarAt, type NoiseScheduleName, noiseSchedule, signalToNoise } from "./noise-schedule.ts";

describe("the linear schedule", () => {
  const { beta, alphaBar, posteriorVariance } = noiseSchedule("linear", 1000);

  it("has Ho's constants", () => {
    expect(beta[0]).toBeCloseTo(1e-4, 12);
    expect(beta[999]).toBeCloseTo(0.02, 12);
    expect(beta[500] - beta[499]).toBeCloseTo((0.02 - 1e-4) / 999, 12);
    // By NumPy: a = cumprod(1 − linspace(1e-4, 0.02, 1000)), and β₁ (1 − a₀) / (1 − a₁) from it.
    expect(alphaBar[0]).toBeCloseTo(0.9999, 12);
    expect(alphaBar[999]).toBeCloseTo(4.0358e-5, 8);
    expect(posteriorVariance[0]).toBe(0);
    expect(posteriorVariance[1]).toBeCloseTo(5.453e-5, 8);
  });

  it("leaves as little of the image when it has fewer steps", () => {
    const few = noiseSchedule("linear", 100);
    expect(few.beta[99]).toBeCloseTo(0.2, 12);
    expect(Math.log(few.alphaBar[99]) / Math.log(alphaBar[999])).toBeCloseTo(1, 0);
    expect(noiseSchedule("linear", 10).beta[9]).toBe(0.999);
    expect(noiseSchedule("linear", 1).alphaBar).toHaveLength(1);
  });
});

describe("the cosine schedule", () => {
  const { beta, alphaBar } = noiseSchedule("cosine", 1000);

  it("has Nichol and Dhariwal's constants", () => {
    // By NumPy, from eq. 17 and the limit of 0.999 below it.
    expect(beta[0]).toBeCloseTo(4.128e-5, 8);
    expect(beta[1]).toBeCloseTo(4.614e-5, 8);
    expect(beta[999]).toBe(0.999);
    expect(beta[998]).toBeCloseTo(0.75, 3);
  });

  it("is eq. 17 itself where no step was cut off", () => {
    const f = (t: number) => Math.cos((((t / 1000 + 0.008) / 1.008) * Math.PI) / 2) ** 2;
    for (const t of [1, 2, 250, 500, 998]) expect(alphaBar[t - 1] / (f(t) / f(0))).toBeCloseTo(1, 9);
  });
});

describe.each(["linear", "cosine"] as const)("of the %s schedule", (name) => {
  const schedule = noiseSchedule(name, 50);

  it("the symbols are those of the paper", () => {
    const { alpha, beta, alphaBar, posteriorVariance } = schedule;
    let product = 1;
    for (let t = 0; t < 50; t++) {
      const before = product;
      product *= 1 - beta[t];
      expect(alpha[t]).toBe(1 - beta[t]);
      expect(alphaBar[t]).toBeCloseTo(product, 14);
      expect(posteriorVariance[t]).toBeCloseTo((beta[t] * (1 - before)) / (1 - product), 14);
      expect(signalToNoise(schedule, t)).toBeCloseTo(product / (1 - product), 8);
      expect(alphaBarAt(schedule, t)).toBe(alphaBar[t]);
    }
    expect(alphaBarAt(schedule, -1)).toBe(1);
  });

  it("a time that is none is refused", () => {
    for (const t of [-2, 50, 1.5, Number.NaN]) {
      expect(() => alphaBarAt(schedule, t)).toThrow(/^time .* expected an integer from 0 to 49$/);
    }
  });
});

describe("noiseSchedule", () => {
  it("refuses in one line what is none", () => {
    for (const steps of [0, -1, 2.5, Number.NaN]) {
      expect(() => noiseSchedule("cosine", steps)).toThrow(/^a noise schedule got .* expected a positive integer/);
    }
    expect(() => noiseSchedule("sigmoid" as NoiseScheduleName)).toThrow(
      'unknown noise schedule "sigmoid": expected one of linear, cosine',
    );
  });
});
