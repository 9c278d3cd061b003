/**
 * How much noise an image has at each step of diffusion (Ho, Jain & Abbeel 2020, "Denoising diffusion probabilistic
 * models", sec. 2 and 4; Nichol & Dhariwal 2021, "Improved denoising diffusion probabilistic models", sec. 3.2).
 */
import { InputError } from "../errors.ts";

export const noiseSchedules = ["linear", "cosine"] as const;

export type NoiseScheduleName = (typeof noiseSchedules)[number];

/**
 * A schedule's constants, in doubles. A time t is an index, 0 to T − 1: the paper's t + 1, and what Ho's own code tells the
 * network. Index −1 stands for the image itself, before any noise.
 */
export interface NoiseSchedule {
  readonly name: NoiseScheduleName;
  /** T */
  readonly steps: number;
  /** β_t: variance of the noise that step t adds */
  readonly beta: Float64Array;
  /** α_t = 1 − β_t */
  readonly alpha: Float64Array;
  /** ᾱ_t = Π α_s over s ≤ t: how much of the image's variance is left */
  readonly alphaBar: Float64Array;
  /** β̃_t = β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t): variance of the step back, where the image is known (Ho, eq. 7) */
  readonly posteriorVariance: Float64Array;
}

/** No step takes all that is left of the image: ᾱ_T would be 0 (Nichol & Dhariwal, below eq. 17). */
const LARGEST_BETA = 0.999;

/** The T of both papers, for which the linear schedule's constants are. */
const PUBLISHED_STEPS = 1000;

const betas: { readonly [name in NoiseScheduleName]: (steps: number) => (t: number) => number } = {
  /** From 1e-4 to 0.02 in even steps (Ho, sec. 4); fewer steps have larger ones, so that as little is left at the end. */
  linear: (steps) => {
    const [first, last] = [1e-4, 0.02].map((beta) => (beta * PUBLISHED_STEPS) / steps);
    return (t) => (steps === 1 ? last : first + ((last - first) * t) / (steps - 1));
  },

  /** ᾱ_t = f(t) / f(0), f(t) = cos²((t / T + s) / (1 + s) · π / 2), s = 0.008 (Nichol & Dhariwal, eq. 17) */
  cosine: (steps) => {
    const s = 0.008;
    const f = (t: number) => Math.cos((((t / steps + s) / (1 + s)) * Math.PI) / 2) ** 2;
    return (t) => 1 - f(t + 1) / f(t);
  },
};

/**
 * @param steps T
 * @throws InputError for a name that is none, and for steps that are no positive integer
 */
export function noiseSchedule(name: NoiseScheduleName = "linear", steps = PUBLISHED_STEPS): NoiseSchedule {
  if (!noiseSchedules.includes(name)) {
    throw new InputError(`unknown noise schedule "${name}": expected one of ${noiseSchedules.join(", ")}`);
  }
  if (!Number.isInteger(steps) || steps < 1) {
    throw new InputError(
      `a noise schedule got ${steps} steps; expected a positive integer, such as ${PUBLISHED_STEPS}`,
    );
  }
  const betaAt = betas[name](steps);
  const beta = Float64Array.from({ length: steps }, (_, t) => Math.min(betaAt(t), LARGEST_BETA));
  const alpha = beta.map((b) => 1 - b);
  let product = 1;
  const alphaBar = alpha.map((a) => {
    product *= a;
    return product;
  });
  const posteriorVariance = beta.map((b, t) => (b * (1 - (t === 0 ? 1 : alphaBar[t - 1]))) / (1 - alphaBar[t]));
  return { name, steps, beta, alpha, alphaBar, posteriorVariance };
}

/**
 * ᾱ_t, and 1 for t = −1.
 *
 * @throws InputError for a time that the schedule doesn't have
 */
export function alphaBarAt({ alphaBar, steps }: NoiseSchedule, t: number): number {
  if (t === -1) return 1;
  if (!Number.isInteger(t) || t < -1 || t >= steps) {
    throw new InputError(`time ${t} is not in this noise schedule: expected an integer from 0 to ${steps - 1}`);
  }
  return alphaBar[t];
}

/** Signal to noise: ᾱ_t / (1 − ᾱ_t) (Kingma et al. 2021, "Variational diffusion models", eq. 4). */
export function signalToNoise(schedule: NoiseSchedule, t: number): number {
  const alphaBar = alphaBarAt(schedule, t);
  return alphaBar / (1 - alphaBar);
}
