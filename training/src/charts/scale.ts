/** Maps values to a place between 0 and 1 along an axis, with the ticks to draw. */
export interface Scale {
  place(value: number): number;
  ticks: number[];
}

/** Round numbers (1, 2 or 5 times a power of ten) from at most `low` to at least `high`, about `count` of them. */
function roundTicks(low: number, high: number, count: number, integers: boolean): number[] {
  const raw = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  let step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw * 0.999) ?? raw;
  if (integers) step = Math.max(1, Math.round(step));
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * An axis that ends on round numbers.
 *
 * @param values what is to be drawn; if all are equal, the axis makes room around them
 * @param options.zero start at 0  @param options.ceiling never reach beyond this, e.g. 1 for a share
 */
export function linearScale(
  values: number[],
  options: { count?: number; zero?: boolean; floor?: number; ceiling?: number } = {},
): Scale {
  let [low, high] = extent(values);
  if (options.zero) low = Math.min(0, low);
  if (high - low <= 1e-9 * Math.abs(high)) {
    const room = Math.abs(high) * 0.5 || 1;
    if (!options.zero) low -= room;
    high += room;
  }
  if (options.floor !== undefined) low = Math.max(options.floor, low);
  if (options.ceiling !== undefined) high = Math.min(options.ceiling, high);
  if (high <= low) [low, high] = [high - 1, high];
  const ticks = roundTicks(low, high, options.count ?? 4, false);
  return scaleOver(ticks, (value) => value);
}

/** A logarithmic axis with ticks at powers of ten, or at 1, 2 and 5 of each where there are few. Values are positive. */
export function logScale(values: number[]): Scale {
  const [low, high] = extent(values);
  const from = Math.floor(Math.log10(low));
  const to = Math.max(from + 1, Math.ceil(Math.log10(high)));
  const all = Array.from({ length: to - from + 1 }, (_, i) => Number((10 ** (from + i)).toPrecision(12)));
  const stride = Math.ceil(all.length / 6);
  const scale = scaleOver([all[0], all[all.length - 1]], Math.log10);
  return { place: scale.place, ticks: all.filter((_, i) => i % stride === 0) };
}

/** The horizontal axis: from the first value to the last, exactly, or one value in the middle. */
export function stepScale(values: number[], count: number, { integers = true } = {}): Scale {
  const [low, high] = extent(values);
  if (low === high) return { place: () => 0.5, ticks: [low] };
  const inside = roundTicks(low, high, count, integers).filter((tick) => tick >= low && tick <= high);
  return { place: (value) => (value - low) / (high - low), ticks: inside };
}

function scaleOver(ticks: number[], transform: (value: number) => number): Scale {
  const low = transform(ticks[0]);
  const span = transform(ticks[ticks.length - 1]) - low;
  return { place: (value) => (transform(value) - low) / span, ticks };
}

function extent(values: number[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}
