import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { randomStream } from "@tfjs-zoo/models";
import { fromFloat32, loadWeights, stateDict, torchShape, toTorch } from "@tfjs-zoo/models/weights";

/** A tensor as a fixture has it: its Euclidean norm, and entries at places that its name decides. */
export interface Summary {
  norm: number;
  samples: number[];
}

export type Summaries = { [name: string]: Summary };

/** What make_fixtures.py wrote; names and layouts are PyTorch's. */
export interface Fixture {
  name: string;
  model: string;
  options: object;
  inputShape: [height: number, width: number, channels: number];
  labelSmoothing: number;
  seed: number;
  batch: number;
  steps: number;
  learningRate: number;
  momentum: number;
  weightDecay: number;
  /** by how much biases are further from 0, none if missing */
  offset?: number;
  /** how far PyTorch's own float32 is from its float64 */
  float32: { inference: number; logits: number; loss: number; gradients: number; statistics?: number; after: number };
  /** logits of the first step's images in inference, by the initial weights and running statistics, [batch · classes] */
  inference: number[];
  /** of the first step, [batch · classes] */
  logits: number[];
  loss: number;
  gradients: Summaries;
  /** running statistics after the first step */
  statistics: Summaries;
  /** parameters and running statistics after the last step */
  after: Summaries;
}

/** Where `npm run parity` has made fixtures of full size; undefined in the ordinary tests. */
export const fullSizeFolder = process.env.ZOO_PARITY_FIXTURES;

/** Networks of full size take too long in plain JavaScript. */
export const parityBackends = (["tensorflow", "wasm", "cpu"] as const).filter(
  (name) => fullSizeFolder === undefined || name !== "cpu",
);

export function fixtures(): Fixture[] {
  const folder = fullSizeFolder ?? fileURLToPath(new URL("fixtures/", import.meta.url));
  return readdirSync(folder).map((file) => ({
    name: file.replace(/\.json$/, ""),
    ...JSON.parse(readFileSync(join(folder, file), "utf8")),
  }));
}

/**
 * What a script wrote into `fixtures` beside a test, with the files' names; in `npm run parity`, fixtures of full size.
 *
 * @param test its import.meta.url
 */
export function fixturesBeside<T>(test: string): (T & { name: string })[] {
  const folder = fullSizeFolder ?? fileURLToPath(new URL("fixtures/", test));
  return readdirSync(folder).map((file) => ({
    ...JSON.parse(readFileSync(join(folder, file), "utf8")),
    name: file.replace(/\.json$/, ""),
  }));
}

/** What says a network's initial weights. */
export type Initial = Pick<Fixture, "seed" | "offset">;

/** The initial value of a parameter or running statistic by its name, in PyTorch's layout: `value_of` of make_fixtures.py. */
export function initialValue({ seed, offset = 0 }: Initial, name: string, shape: readonly number[]): Float32Array {
  const random = randomStream(seed, "fixture", name);
  const fanIn = shape.slice(1).reduce((product, n) => product * n, 1);
  const of = (z: number): number => {
    if (shape.length >= 2) return Math.sqrt(2 / fanIn) * z;
    if (name.endsWith("running_var")) return 1 + 0.1 * Math.abs(z);
    if (name.endsWith("weight")) return 1 + 0.1 * z;
    return name.endsWith("bias") ? 0.1 * z + offset * Math.sign(z) : 0.1 * z;
  };
  return Float32Array.from({ length: (shape[0] ?? 1) * fanIn }, () => of(random.normal()));
}

/** The images and labels of a step, [batch, height, width, channels]. */
export function batchOf({ seed, batch, inputShape }: Fixture, step: number) {
  const images = randomStream(seed, "fixture", "images", step);
  const labels = randomStream(seed, "fixture", "labels", step);
  const [height, width, channels] = inputShape;
  return {
    images: Float32Array.from({ length: batch * height * width * channels }, () => images.normal()),
    labels: Int32Array.from({ length: batch }, () => labels.integer(10)),
    size: batch,
    indices: new Int32Array(batch),
  };
}

/** A tensor as a fixture would have it. @param values in PyTorch's layout */
export function summarise({ seed }: Pick<Fixture, "seed">, name: string, values: Float32Array): Summary {
  const random = randomStream(seed, "fixture", "samples", name);
  const at = Array.from({ length: Math.min(8, values.length) }, () => random.integer(values.length));
  return { norm: Math.sqrt(values.reduce((sum, x) => sum + x * x, 0)), samples: at.map((i) => values[i]) };
}

/**
 * The largest error among tensors, of a norm or an entry, each relative to the larger of that tensor's norm and 1e-3 of
 * the largest norm of all. Infinity when the names differ or a value is NaN.
 */
export function errorOf(actual: Summaries, expected: Summaries): { name: string; error: number } {
  const names = Object.keys(expected);
  if (Object.keys(actual).sort().join() !== [...names].sort().join())
    return { name: "names", error: Number.POSITIVE_INFINITY };
  const largest = Math.max(...names.map((name) => expected[name].norm));
  return names
    .map((name) => {
      const { norm, samples } = expected[name];
      const differences = samples.map((sample, i) => Math.abs(sample - actual[name].samples[i]));
      const error = Math.max(Math.abs(norm - actual[name].norm), ...differences) / Math.max(norm, 1e-3 * largest);
      return { name, error: Number.isNaN(error) ? Number.POSITIVE_INFINITY : error };
    })
    .reduce((worst, one) => (one.error > worst.error ? one : worst));
}

/** Gives a network a fixture's weights: each by its name in PyTorch. */
export function fillNetwork(model: tfl.LayersModel, fixture: Initial): void {
  const tensors = new Map(
    stateDict(model).map(({ name, variable, layout }) => {
      const shape = torchShape(variable.shape as number[], layout);
      return [name, { dtype: "F32" as const, shape, data: fromFloat32(initialValue(fixture, name, shape), "F32") }];
    }),
  );
  loadWeights(model, { tensors, metadata: {} });
}

/** What a fixture would say of the gradients of a network's weights. @param gradients by the variables' names */
export async function gradientSummaries(
  model: tfl.LayersModel,
  gradients: tf.NamedTensorMap,
  fixture: Pick<Fixture, "seed">,
): Promise<Summaries> {
  const summaries: Summaries = {};
  for (const { name, variable, layout } of stateDict(model)) {
    const gradient = gradients[(variable.read() as tf.Variable).name];
    if (gradient === undefined) continue; // a running statistic
    const values = (await gradient.data()) as Float32Array;
    summaries[name] = summarise(fixture, name, toTorch(values, variable.shape as number[], layout));
  }
  return summaries;
}
