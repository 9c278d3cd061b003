/** Made-up sets of features whose measures are known, for the tests. */
import { randomStream } from "@tfjs-zoo/models";
import { type FeatureRows, featureRows } from "./feature-rows.ts";

/** Standard normal rows, each times `scale` plus `shift`. */
export function normalRows(
  count: number,
  dimensions: number,
  name: string,
  { scale = 1, shift = 0 } = {},
): FeatureRows {
  const random = randomStream(0, "rows", name);
  const values = Float32Array.from({ length: count * dimensions }, () => scale * random.normal() + shift);
  return featureRows(values, dimensions);
}

export const rowsOf = (rows: readonly (readonly number[])[]): FeatureRows =>
  featureRows(Float32Array.from(rows.flat()), rows[0].length);
