import * as tf from "@tensorflow/tfjs-core";
import { alphaBarAt } from "./noise-schedule.ts";
import { evenTimes, halfLogSnr, logSnrTimes, type SampleOptions, takeSteps } from "./sampling.ts";

export interface DpmSolverOptions extends SampleOptions {
  /** in which the distances of times are even: λ unless given; `time` may be better with strong guidance */
  spacing?: "log-snr" | "time";
}

/** Steps unless given: what its paper needs for images as good as DDPM's of a thousand. */
const FEW = 20;

/**
 * DPM-Solver++ of second order in its multistep form, 2M (Lu et al. 2022, "DPM-Solver++: fast solver for guided sampling of
 * diffusion probabilistic models", algorithm 2). It solves the equation that DDIM follows, in λ, with the last two things
 * that the network saw as the image:
 *
 *   x_s = (σ_s / σ_t) x_t − α_s (e^{−h} − 1) D        h = λ_s − λ_t, α = √ᾱ, σ = √(1 − ᾱ)
 *   D = (1 + 1 / 2r) x̂₀ − (1 / 2r) x̂₀′                x̂₀′ and h′ the step's before, r = h′ / h
 *
 * The first step, and the last, after which there is no noise, have D = x̂₀, which is DDIM's.
 *
 * @returns images of the shape given; the caller's to dispose
 * @throws InputError for options that don't fit
 */
export async function dpmSolverSample(options: DpmSolverOptions): Promise<tf.Tensor> {
  const { schedule, spacing = "log-snr" } = options;
  const steps = options.steps ?? Math.min(FEW, schedule.steps);
  const times = (spacing === "time" ? evenTimes : logSnrTimes)(schedule, steps);
  return takeSteps(options, times, ({ x, x0, t, s, previous }) => {
    if (s === -1) return tf.clone(x0);
    const [now, next] = [alphaBarAt(schedule, t), alphaBarAt(schedule, s)];
    const h = halfLogSnr(schedule, s) - halfLogSnr(schedule, t);
    const kept = tf.mul(x, Math.sqrt((1 - next) / (1 - now)));
    const gained = Math.sqrt(next) * -Math.expm1(-h);
    if (previous === undefined) return tf.add(kept, tf.mul(x0, gained));
    const r = (halfLogSnr(schedule, t) - halfLogSnr(schedule, previous.t)) / h;
    const d = tf.sub(tf.mul(x0, 1 + 1 / (2 * r)), tf.mul(previous.x0, 1 / (2 * r)));
    return tf.add(kept, tf.mul(d, gained));
  });
}
