/** The probability of a pixel of 256 values under a normal distribution (Ho, Jain & Abbeel 2020, eq. 13), in doubles. */

/** Half the distance of two values, where 0 to 255 are −1 to 1. */
const HALF = 1 / 255;

/**
 * log p(x) = log ∫ N(u; μ, σ²) du from x − 1/255 to x + 1/255; below −1 and above 1 to infinity, so that all values have 1
 * together.
 *
 * @param x one of the 256 values in [−1, 1]
 * @returns nats
 */
export function logDiscretisedGaussian(x: number, mean: number, deviation: number): number {
  const low = x < -1 + HALF ? Number.NEGATIVE_INFINITY : (x - HALF - mean) / deviation;
  const high = x > 1 - HALF ? Number.POSITIVE_INFINITY : (x + HALF - mean) / deviation;
  return low + high < 0 ? logBetween(-high, -low) : logBetween(low, high);
}

/** log P(a < Z < b) where more of the interval lies above 0 than below: as a difference of tails, which has no cancellation. */
function logBetween(a: number, b: number): number {
  if (a < 0) return Math.log1p(-Math.exp(logUpperTail(-a)) - Math.exp(logUpperTail(b)));
  const upper = logUpperTail(a);
  return upper + Math.log1p(-Math.exp(logUpperTail(b) - upper));
}

/** Where the series gives way to the continued fraction: both have 13 digits there. */
const MIDDLE = 3;

const logDensity = (x: number): number => -0.5 * x * x - 0.5 * Math.log(2 * Math.PI);

/**
 * log P(Z > x) for Z ~ N(0, 1): by the series of Marsaglia (2004, "Evaluating the normal distribution", eq. 1), and far out
 * by Laplace's continued fraction, φ(x) / (x + 1 / (x + 2 / (x + 3 / …))), which has no smallest number.
 *
 * @param x 0 or more
 */
export function logUpperTail(x: number): number {
  if (x === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  if (x < MIDDLE) {
    let [sum, term] = [x, x];
    for (let n = 3; term > 1e-17 * sum; n += 2) {
      term *= (x * x) / n;
      sum += term;
    }
    return Math.log(0.5 - sum * Math.exp(logDensity(x)));
  }
  let fraction = x;
  for (let n = 80; n >= 1; n--) fraction = x + n / fraction;
  return logDensity(x) - Math.log(fraction);
}
