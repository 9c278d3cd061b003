import { InputError } from "@tfjs-zoo/models";

/** What images are compared by: a row of numbers for each, features of a network or pixels. */
export interface FeatureRows {
  /** [count, dimensions] */
  readonly values: Float32Array | Uint8Array;
  readonly count: number;
  readonly dimensions: number;
}

/**
 * @param values [count, dimensions]; kept, not copied
 * @throws InputError unless they are whole rows, and finite
 */
export function featureRows(values: Float32Array | Uint8Array, dimensions: number): FeatureRows {
  const count = values.length / dimensions;
  if (!Number.isInteger(count)) {
    throw new InputError(`${values.length} features are no whole rows of ${dimensions}`);
  }
  const broken = values instanceof Float32Array ? values.findIndex((value) => !Number.isFinite(value)) : -1;
  if (broken >= 0) {
    throw new InputError(
      `image ${Math.floor(broken / dimensions)} has a feature ${values[broken]}; expected finite numbers: check the samples and the classifier`,
    );
  }
  return { values, count, dimensions };
}

/** @throws InputError unless both have rows of the same length, and at least so many of them */
export function expectComparable(a: FeatureRows, b: FeatureRows, least: number): void {
  if (a.dimensions !== b.dimensions) {
    throw new InputError(`rows of ${a.dimensions} and of ${b.dimensions} features: expected features of one network`);
  }
  const fewest = Math.min(a.count, b.count);
  if (fewest < least) throw new InputError(`${fewest} image(s) are too few to compare: give at least ${least}`);
}
