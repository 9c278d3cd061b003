/** A learning-rate schedule: the factor of the peak learning rate after `progress` epochs of `epochs`. */
export type Schedule = (progress: number, epochs: number) => number;

/** Always the peak. */
export const constant: Schedule = () => 1;

/**
 * Multiplies by γ after each milestone (He et al. 2016, sec. 4.2: by 0.1 at 1/2 and 3/4 of the training).
 *
 * @param milestones shares of the training, in (0, 1)
 */
export const stepwise =
  (milestones: readonly number[] = [0.5, 0.75], gamma = 0.1): Schedule =>
  (progress, epochs) =>
    gamma ** milestones.filter((share) => progress >= share * epochs).length;

/** Straight down from the peak to nothing. */
export const linear: Schedule = (progress, epochs) => 1 - Math.min(progress / epochs, 1);

/** Half a cosine from the peak to `final` of it (Loshchilov & Hutter 2017, eq. 5, without restarts). */
export const cosine =
  (final = 0): Schedule =>
  (progress, epochs) =>
    final + ((1 - final) * (1 + Math.cos(Math.PI * Math.min(progress / epochs, 1)))) / 2;

/**
 * Straight up to the peak and straight down to nearly nothing (Smith & Topin 2018, with linear flanks).
 *
 * @param rise share of the training that goes up
 */
export const oneCycle =
  (rise = 0.25, start = 0.1, final = 0.002): Schedule =>
  (progress, epochs) => {
    const at = Math.min(progress / epochs, 1);
    if (at < rise) return start + ((1 - start) * at) / rise;
    return final + (1 - final) * ((1 - at) / (1 - rise));
  };

/** Any schedule behind a linear warm-up of some epochs (Goyal et al. 2017, sec. 2.2). */
export const withWarmup =
  (schedule: Schedule, warmupEpochs: number): Schedule =>
  (progress, epochs) =>
    schedule(progress, epochs) * (progress < warmupEpochs ? (progress + 1e-3) / (warmupEpochs + 1e-3) : 1);

/**
 * Straight up to the peak in some epochs, then down with the square root of the steps (Vaswani et al. 2017, eq. 3, in
 * multiples of its peak).
 */
export const inverseSqrt =
  (warmupEpochs: number): Schedule =>
  (progress) => {
    if (warmupEpochs === 0) return 1 / Math.sqrt(1 + progress);
    const at = Math.max(progress / warmupEpochs, 1e-3);
    return Math.min(at, 1 / Math.sqrt(at));
  };
