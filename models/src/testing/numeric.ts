import type { Array64, Inputs64, Textbook } from "./array64.ts";

/** Central differences in doubles: the truncation error is of order 1e-12 of the function, rounding 1e-10. */
const STEP = 1e-6;
/**
 * Second differences divide by the step squared, so theirs is larger, and the error of the order of its square is
 * removed by Richardson's extrapolation from the double step: what is left is of order 1e-10 of the function.
 */
const SECOND_STEP = 4e-3;

/** Weights of a function's first outputs; there are as many of its outputs in Σ r · f as there are weights. */
type Weights = readonly Float64Array[];

/** What the gradient of output i is called. */
export const dyName = (i: number): string => (i === 0 ? "dy" : `dy${i}`);

/** ∂/∂(input) of Σ r · f(inputs) by central differences. */
export function gradient64(f: Textbook, inputs: Inputs64, attrs: object, input: string, r: Weights): Float64Array {
  const at = movable(inputs, [input]);
  return at[input].values.map((_, i) => {
    const rise = difference(at[input].values, i, STEP, () => weighted(f, at, attrs, r));
    return rise / (2 * STEP);
  });
}

/**
 * Derivatives of S = Σ s · ∂/∂(input) Σ r · f(inputs) with respect to `wanted` inputs and to r ("dy", "dy1" …).
 *
 * S is the derivative of Σ r · f along s, so its derivatives are mixed second differences of f, and dS/dr is the
 * derivative of f itself along s.
 */
export function secondGradients64(
  f: Textbook,
  inputs: Inputs64,
  attrs: object,
  input: string,
  wanted: readonly string[],
  r: Weights,
  s: Float64Array,
): { [name: string]: Float64Array } {
  const at = movable(inputs, [...wanted, input]);
  const origin = at[input].values.slice();
  /** Calls g with the input moved by t s, relative to where it is. */
  const moved = <T>(t: number, g: () => T): T => {
    const before = at[input].values.slice();
    for (let i = 0; i < s.length; i++) at[input].values[i] += t * s[i];
    const result = g();
    at[input].values.set(before);
    return result;
  };
  const results: { [name: string]: Float64Array } = {};
  for (const name of wanted) {
    const second = (i: number, step: number) => {
      const along = () => moved(step, () => weighted(f, at, attrs, r)) - moved(-step, () => weighted(f, at, attrs, r));
      return difference(at[name].values, i, step, along) / (4 * step ** 2);
    };
    results[name] = at[name].values.map((_, i) => (4 * second(i, SECOND_STEP) - second(i, 2 * SECOND_STEP)) / 3);
  }
  at[input].values.set(origin);
  const up = moved(STEP, () => f(at, attrs));
  const down = moved(-STEP, () => f(at, attrs));
  for (const k of r.keys()) {
    results[dyName(k)] = up[k].values.map((value, i) => (value - down[k].values[i]) / (2 * STEP));
  }
  return results;
}

/** g(values[i] + step) − g(values[i] − step). */
function difference(values: Float64Array, i: number, step: number, g: () => number): number {
  const value = values[i];
  values[i] = value + step;
  const above = g();
  values[i] = value - step;
  const below = g();
  values[i] = value;
  return above - below;
}

function weighted(f: Textbook, inputs: Inputs64, attrs: object, r: Weights): number {
  const outputs = f(inputs, attrs);
  let sum = 0;
  for (const [k, factors] of r.entries()) {
    const { values } = outputs[k];
    for (let i = 0; i < values.length; i++) sum += factors[i] * values[i];
  }
  return sum;
}

/** The same inputs, with copies of those that will be moved. */
function movable(inputs: Inputs64, names: readonly string[]): { [name: string]: Array64 } {
  const copies = names.map((name) => [name, { ...inputs[name], values: inputs[name].values.slice() }]);
  return { ...inputs, ...Object.fromEntries(copies) };
}

/** Largest absolute value. */
export function largest(values: ArrayLike<number>): number {
  let result = 0;
  for (let i = 0; i < values.length; i++) result = Math.max(result, Math.abs(values[i]));
  return result;
}

/**
 * The largest difference, relative to the largest expected value of this tensor, or to 1e-3 of `scale` where that is
 * more: a gradient that is 0 in theory is compared with the size of the others, not with 0. Infinity for a NaN or
 * another number of elements.
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>, scale: number): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  for (let i = 0; i < actual.length; i++) {
    const d = Math.abs(actual[i] - expected[i]);
    if (Number.isNaN(d)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, d);
  }
  return difference === 0 ? 0 : difference / Math.max(largest(expected), 1e-3 * scale);
}
