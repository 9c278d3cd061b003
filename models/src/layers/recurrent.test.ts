import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../errors.ts";
import { loadWeights } from "../weights/load-weights.ts";
import { stateDict } from "../weights/names.ts";
import { readSafetensors } from "../weights/safetensors.ts";
import { saveWeights } from "../weights/save-weights.ts";
import { scatter } from "../weights/test-nets.ts";
import { Gru } from "./gru.ts";
import { Lstm, type LstmConfig } from "./lstm.ts";
import { seedDropout } from "./randomness.ts";
import type { Recurrent, RecurrentConfig } from "./recurrent.ts";
import { Rnn } from "./rnn.ts";

beforeAll(() => tf.setBackend("cpu"));

/** h, or h and c. */
const states = { Rnn: 1, Lstm: 2, Gru: 1 };

const kinds = Object.entries({ Rnn, Lstm, Gru }).map(([name, Layer]) => ({
  name,
  states: states[name as keyof typeof states],
  make: (config: Partial<RecurrentConfig> = {}): Recurrent => new Layer({ name: "rnn", units: 3, ...config }),
}));

const stacked = { numLayers: 2, bidirectional: true, returnState: true };

/** A layer with weights, as a model of sequences of any length. */
function modelOf(layer: Recurrent, inSize = 2): tfl.LayersModel {
  const x = tfl.input({ shape: [null, inSize] });
  return scatter(tfl.model({ inputs: x, outputs: layer.apply(x) as tfl.SymbolicTensor[], name: "sequences" }));
}

const sequences = (batch: number, time: number, seed = 1) => tf.randomNormal([batch, time, 2], 0, 1, "float32", seed);

const applied = (layer: Recurrent, inputs: tf.Tensor | tf.Tensor[], training = false): tf.Tensor[] => {
  const outputs = layer.apply(inputs, { training }) as tf.Tensor | tf.Tensor[];
  return Array.isArray(outputs) ? outputs : [outputs];
};

const numbers = (tensors: tf.Tensor[]): number[] => tensors.flatMap((tensor) => [...tensor.dataSync()]);

function expectClose(actual: tf.Tensor[], expected: tf.Tensor[]): void {
  expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
  const ours = numbers(actual);
  for (const [i, value] of numbers(expected).entries()) expect(ours[i]).toBeCloseTo(value, 5);
}

describe.each(kinds)("$name", ({ make, states: count }) => {
  it("has the shapes that it states, of any number of steps", () => {
    for (const config of [{}, { returnState: true }, stacked]) {
      const layer = make(config);
      const model = modelOf(layer);
      const outputs = applied(layer, sequences(4, 5));
      const known = model.outputs.map(({ shape }) => shape.map((size, axis) => size ?? [4, 5][axis]));
      expect(outputs.map(({ shape }) => shape)).toEqual(known);
      const directions = config === stacked ? 2 : 1;
      const [y, ...last] = model.outputs.map(({ shape }) => shape);
      expect(y).toEqual([null, null, 3 * directions]);
      expect(last).toEqual(Array(config.returnState ? count : 0).fill([null, directions === 2 ? 4 : 1, 3]));
    }
  });

  it("treats a padded sequence as it would alone", () => {
    const layer = make(stacked);
    modelOf(layer);
    const x = sequences(3, 4);
    const lengths = [2, 4, 1];
    const [y, ...last] = applied(layer, [x, tf.tensor1d(lengths, "int32")]);
    for (const [n, length] of lengths.entries()) {
      const alone = applied(layer, tf.slice(x, [n, 0, 0], [1, length, 2]));
      const ours = [tf.slice(y, [n, 0, 0], [1, length, 6]), ...last.map((state) => tf.slice(state, n, 1))];
      expectClose(ours, alone);
      expect(numbers([tf.slice(y, [n, length, 0], [1, 4 - length, 6])]).every((value) => value === 0)).toBe(true);
    }
  });

  it("goes on from the states that it left", () => {
    const layer = make({ numLayers: 2, returnState: true });
    modelOf(layer);
    const x = sequences(2, 5);
    const [first, second] = tf.split(x, [2, 3], 1);
    const [head, ...between] = applied(layer, first);
    const [tail, ...last] = applied(layer, [second, ...between]);
    expectClose([tf.concat([head, tail], 1), ...last], applied(layer, x));
  });

  it("drops between its layers in training only, and draws the same for the same step", () => {
    const layer = make({ numLayers: 2, dropout: 0.5 });
    const model = modelOf(layer);
    const x = sequences(2, 3);
    const training = (step: number) => {
      seedDropout(model, 7, step);
      return numbers(applied(layer, x, true));
    };
    const inference = numbers(applied(layer, x));
    expect(training(1)).not.toEqual(inference);
    expect(training(1)).toEqual(training(1));
    expect(training(1)).not.toEqual(training(2));
    const single = make({ dropout: 0.5 });
    modelOf(single);
    expect(numbers(applied(single, x, true))).toEqual(numbers(applied(single, x)));
  });

  it("learns from its last states alone, and leaves nothing behind", () => {
    const layer = make(stacked);
    const model = modelOf(layer);
    const x = sequences(2, 3);
    const lengths = tf.tensor1d([3, 2], "int32");
    const step = () => {
      const { value, grads } = tf.variableGrads(() => {
        const [, ...last] = applied(layer, [x, lengths], true);
        return last.map((state) => tf.sum(tf.square(state))).reduce((a, b) => tf.add(a, b)) as tf.Scalar;
      });
      const learned = Object.values(grads).map((gradient) => gradient.dataSync().some((g) => g !== 0));
      tf.dispose([value, grads]);
      return learned;
    };
    const learned = step();
    expect(learned).toHaveLength(model.trainableWeights.length);
    expect(learned.every(Boolean)).toBe(true);
    const before = tf.memory().numTensors;
    step();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("comes back from its weights' file, under PyTorch's names and in its shapes", async () => {
    const [model, other] = [modelOf(make(stacked)), modelOf(make(stacked))];
    for (const variable of other.weights) variable.write(tf.zerosLike(variable.read()));
    const file = await saveWeights(model);
    loadWeights(other, file);
    const values = (from: tfl.LayersModel) => from.weights.map((variable) => variable.read());
    expect(numbers(values(other))).toEqual(numbers(values(model)));

    const { tensors } = readSafetensors(file);
    const short = (layer: number, direction: string) =>
      ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map((name) => `rnn.${name}_l${layer}${direction}`);
    const names = [0, 1].flatMap((layer) => ["", "_reverse"].flatMap((direction) => short(layer, direction)));
    expect(stateDict(model).map(({ name }) => name)).toEqual(names);
    const shapeOf = (name: string) => tensors.get(`rnn.${name}`)?.shape;
    const wide = shapeOf("bias_hh_l0")?.[0];
    expect(shapeOf("weight_ih_l0")).toEqual([wide, 2]);
    expect(shapeOf("weight_ih_l1_reverse")).toEqual([wide, 6]);
    expect(shapeOf("weight_hh_l1")).toEqual([wide, 3]);
  });

  it("refuses in one line what does not fit", () => {
    const layer = make({ numLayers: 2 });
    expect(() => layer.apply(tf.zeros([2, 3]))).toThrow(
      new InputError("rnn got an input of shape [2,3]; expected [batch, time, in]"),
    );
    modelOf(layer);
    const x = sequences(4, 5);
    const wrong = [[tf.zeros([4, 1, 3])], Array(3).fill(tf.zeros([4, 2, 3])), [tf.zeros([4]), tf.zeros([4])]];
    for (const others of wrong) {
      expect(() => applied(layer, [x, ...others])).toThrow(InputError);
      expect(() => applied(layer, [x, ...others])).toThrow(
        /^rnn got inputs of shapes .*; expected lengths \[4\], and .*\[4,2,3\]/,
      );
    }
    expect(() => applied(layer, [x, tf.zeros([3])])).toThrow(/^\w+ got lengths \[3\]; expected \[4\]/);
  });
});

it.each([
  ["Rnn", new Rnn({ name: "a", units: 2, activation: "relu", useBias: false, dropout: 0.1 })],
  ["Lstm", new Lstm({ name: "a", units: 2, peephole: true, coupled: true, ...stacked })],
  ["Gru", new Gru({ name: "a", units: 2, resetAfter: false, bidirectional: true })],
])("%s is rebuilt by its configuration", (_, layer) => {
  const config = JSON.parse(JSON.stringify(layer.getConfig()));
  const copy = (layer.constructor as typeof Rnn).fromConfig(layer.constructor as typeof Rnn, config) as Recurrent;
  expect(copy).toBeInstanceOf(layer.constructor);
  expect(copy.getConfig()).toEqual(layer.getConfig());
  const shapes = [layer, copy].map((one) =>
    modelOf(one).weights.map(({ originalName, shape }) => [originalName, shape]),
  );
  expect(shapes[0]).toEqual(shapes[1]);
});

it("an LSTM with peepholes and coupled gates keeps their weights", async () => {
  const build = (config: Partial<LstmConfig>) =>
    modelOf(new Lstm({ name: "rnn", units: 3, peephole: true, ...config }));
  const shapes = (model: tfl.LayersModel) =>
    Object.fromEntries(stateDict(model).map(({ name, variable }) => [name, variable.shape]));
  expect(shapes(build({}))).toMatchObject({ "rnn.peephole_l0": [3, 3], "rnn.weight_hh_l0": [3, 12] });
  const coupled = build({ coupled: true });
  expect(shapes(coupled)).toMatchObject({ "rnn.peephole_l0": [2, 3], "rnn.weight_hh_l0": [3, 9] });
  const again = build({ coupled: true });
  for (const variable of again.weights) variable.write(tf.zerosLike(variable.read()));
  loadWeights(again, await saveWeights(coupled));
  expect(numbers(again.weights.map((variable) => variable.read()))).toEqual(
    numbers(coupled.weights.map((v) => v.read())),
  );
});
