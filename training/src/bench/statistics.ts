/** The p-quantile of a sample, 0 ≤ p ≤ 1, with linear interpolation between neighbours; NaN of an empty one. */
export function quantile(values: readonly number[], p: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * p;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

/** The middle of a sample: half of it lies on either side. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** How fast one contestant is. */
export interface Rate {
  /** items (images, or tokens) a second, from the median step */
  items_per_s: number;
  /** milliseconds of the median step */
  step_ms: number;
  /** milliseconds between which the middle half of the steps lies */
  spread_ms: [lower: number, upper: number];
  /** how many steps were timed */
  steps: number;
}

/** A peer's rate, and how ours compares. */
export interface PeerRate extends Rate {
  /** our items a second over the peer's: above 1 we are faster */
  ratio: number;
}

/**
 * @param stepMs time of each step in milliseconds
 * @param items items in a step
 */
export function rateOf(stepMs: readonly number[], items: number): Rate {
  const middle = median(stepMs);
  return {
    items_per_s: round((items * 1000) / middle, 1),
    step_ms: round(middle, 2),
    spread_ms: [round(quantile(stepMs, 0.25), 2), round(quantile(stepMs, 0.75), 2)],
    steps: stepMs.length,
  };
}

/** A peer's rate beside ours; both took steps of `items` items. */
export function peerRateOf(peerMs: readonly number[], oursMs: readonly number[], items: number): PeerRate {
  return { ...rateOf(peerMs, items), ratio: round(median(peerMs) / median(oursMs), 3) };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
