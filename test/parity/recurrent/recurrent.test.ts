/** Our recurrent layers against PyTorch's in float64: outputs, last states, and every gradient. */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { layers, randomStream } from "@tfjs-zoo/models";
import { fromFloat32, loadWeights, stateDict, torchShape, toTorch } from "@tfjs-zoo/models/weights";
import { beforeAll, describe, expect, it } from "vitest";
import { backendStarts } from "../backend-starts.ts";

/** What make_recurrent_fixtures.py wrote. */
interface Fixtures {
  sizes: { batch: number; time: number; in: number; units: number };
  cases: Case[];
}

interface Case {
  kind: "RNN" | "LSTM" | "GRU";
  options: { numLayers?: number; bidirectional?: boolean; useBias?: boolean; activation?: "relu" };
  lengths: number[] | null;
  states: boolean;
  /** y [batch, time, directions · units], the last states [batch, layers · directions, units] */
  outputs: number[][];
  inputGradients: { [name: string]: number[] };
  /** under PyTorch's names, in its order and layouts */
  weightGradients: { [name: string]: number[] };
}

const { sizes, cases } = JSON.parse(readFileSync(new URL("fixtures/cells.json", import.meta.url), "utf8")) as Fixtures;

/** Relative to a tensor's largest value: float32 is off by some 1e-6 after so few steps, a wrong formula by 1e-2. */
const TOLERANCE = 1e-5;

const classes = { RNN: layers.Rnn, LSTM: layers.Lstm, GRU: layers.Gru };

const named = cases.map((given, index) => ({ given, index, ...given, stack: JSON.stringify(given.options) }));

describe.each(["tensorflow", "wasm", "cpu"] as const)("on %s", (backend) => {
  let starts = false;
  beforeAll(async () => {
    starts = await backendStarts(backend);
  });

  it.for(named)("$kind $stack, lengths $lengths, states $states", async ({ given, index }, { skip }) => {
    if (!starts) skip();
    await tf.setBackend(backend);
    const model = modelOf(given);
    const expected = Object.keys(given.weightGradients);
    expect(stateDict(model).map(({ name }) => name)).toEqual(expected.map((name) => `rnn.${name}`));
    loadWeights(model, { tensors: weightsOf(model, index), metadata: {} });

    const inputs = inputsOf(given, index);
    const lengths = given.lengths === null ? [] : [tf.tensor1d(given.lengths, "int32")];
    const before = tf.memory().numTensors;
    const { outputs, ofInputs, ofWeights } = tf.tidy(() => {
      const run = ([x, ...states]: tf.Tensor[]) => model.apply([x, ...lengths, ...states]) as tf.Tensor[];
      const ys = run(inputs);
      const r = ys.map(({ shape }, i) => tensorOf(index, `r${i}`, shape));
      const loss = (xs: tf.Tensor[]) =>
        run(xs)
          .map((y, i) => tf.sum(tf.mul(y, r[i])))
          .reduce((a, b) => tf.add(a, b)) as tf.Scalar;
      const { grads } = tf.variableGrads(() => loss(inputs));
      return {
        outputs: ys.map((y) => y.dataSync()),
        ofInputs: tf
          .grads((...xs: tf.Tensor[]) => loss(xs))(inputs)
          .map((gradient) => gradient.dataSync()),
        ofWeights: stateDict(model).map(({ variable, layout }) => {
          const gradient = grads[(variable.read() as tf.Variable).name].dataSync() as Float32Array;
          return toTorch(gradient, variable.shape as number[], layout);
        }),
      };
    });
    expect(tf.memory().numTensors).toBe(before);
    expectClose("output", outputs, given.outputs);
    expectClose("gradient of an input", ofInputs, Object.values(given.inputGradients));
    expectClose("gradient of a weight", ofWeights, Object.values(given.weightGradients));
    tf.dispose([inputs, lengths]);
    model.dispose();
  });
});

/** The layer alone, with an input for each of x, lengths, h and c that there are. */
function modelOf({ kind, options, lengths, inputGradients }: Case): tfl.LayersModel {
  const cells = (options.numLayers ?? 1) * (options.bidirectional ? 2 : 1);
  const [, ...states] = Object.keys(inputGradients);
  const inputs = [
    tfl.input({ shape: [null, sizes.in] }),
    ...(lengths === null ? [] : [tfl.input({ shape: [], dtype: "int32" })]),
    ...states.map((name) => tfl.input({ name, shape: [cells, sizes.units] })),
  ];
  const layer = new classes[kind]({ name: "rnn", units: sizes.units, returnState: true, ...options });
  return tfl.model({ inputs, outputs: layer.apply(inputs) as tfl.SymbolicTensor[] });
}

function valuesOf(index: number, name: string, shape: readonly number[]): Float32Array {
  const random = randomStream("recurrent", index, name);
  return Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => random.normal());
}

const tensorOf = (index: number, name: string, shape: number[]) => tf.tensor(valuesOf(index, name, shape), shape);

function weightsOf(model: tfl.LayersModel, index: number) {
  return new Map(
    stateDict(model).map(({ name, variable, layout }) => {
      const shape = torchShape(variable.shape as number[], layout);
      const values = valuesOf(index, name.replace("rnn.", ""), shape).map((value) => value / 2);
      return [name, { dtype: "F32" as const, shape, data: fromFloat32(values, "F32") }];
    }),
  );
}

/** x, h0, c0 as far as there are any. */
function inputsOf({ options, inputGradients }: Case, index: number): tf.Tensor[] {
  const cells = (options.numLayers ?? 1) * (options.bidirectional ? 2 : 1);
  const { batch, time, units } = sizes;
  return Object.keys(inputGradients).map((name) =>
    tensorOf(index, name, name === "x" ? [batch, time, sizes.in] : [batch, cells, units]),
  );
}

function expectClose(what: string, actual: ArrayLike<number>[], expected: readonly (readonly number[])[]): void {
  expect(actual.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  for (const [i, values] of expected.entries()) {
    const worst = values.reduce((most, value, k) => Math.max(most, Math.abs(value - actual[i][k])), 0);
    expect(worst / Math.max(...values.map(Math.abs)), `${what}, number ${i}`).toBeLessThan(TOLERANCE);
  }
}
