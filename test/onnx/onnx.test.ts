/** Networks as ONNX files: onnxruntime's outputs against ours. */
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { classifiers, layers, randomStream } from "@tfjs-zoo/models";
import { layerRules, stateDict, toOnnx } from "@tfjs-zoo/models/weights";
import { InferenceSession, Tensor } from "onnxruntime-web";
import { beforeAll, describe, expect, it } from "vitest";

beforeAll(() => tf.setBackend("wasm"));

/** Of the largest output: two orders of the same sums in float32. */
const TOLERANCE = 1e-4;

const BATCH = 2;

/** Moves every weight, so that batch norms and biases do something. */
async function scatter(model: tfl.LayersModel): Promise<void> {
  for (const { name, variable } of stateDict(model)) {
    const random = randomStream(1, "onnx", name);
    const moved = (await variable.read().data()).map((value) => value + (random.uniform() - 0.5) * 0.2);
    const value = tf.tensor(moved, variable.shape as number[]);
    variable.write(value);
    value.dispose();
  }
}

/** The largest difference between onnxruntime's outputs and ours, of the largest output; the model is disposed. */
async function difference(model: tfl.LayersModel): Promise<number> {
  await scatter(model);
  const [, ...shape] = model.inputs[0].shape as number[];
  const random = randomStream(1, "onnx", model.name);
  const images = tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape([BATCH, ...shape]) }, () => random.normal()),
    [BATCH, ...shape],
  );
  const session = await InferenceSession.create(await toOnnx(model));
  const nchw = shape.length === 3 ? tf.transpose(images, [0, 3, 1, 2]) : images;
  const { output } = await session.run({ input: new Tensor("float32", await nchw.data<"float32">(), nchw.shape) });
  const ours = tf.tidy(() => {
    const y = model.predict(images) as tf.Tensor;
    return y.rank === 4 ? tf.transpose(y, [0, 3, 1, 2]) : y;
  });
  expect(output.dims).toEqual(ours.shape);
  const expected = await ours.data<"float32">();
  const theirs = output.data as Float32Array;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
  await session.release();
  tf.dispose([images, nchw, ours]);
  model.dispose();
  return worst / largest;
}

it.each([...classifiers.values()])("$name has the same outputs in onnxruntime", async (entry) => {
  const before = tf.memory().numTensors;
  expect(await difference((entry.narrow ?? entry.build)({ seed: 1 }))).toBeLessThan(TOLERANCE);
  expect(tf.memory().numTensors).toBe(before);
});

describe("what no network of the registry has", () => {
  const modelOf = (shape: number[], ...chain: tfl.layers.Layer[]) => {
    const input = tfl.input({ shape, name: "in" });
    const output = chain.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input);
    return tfl.model({ inputs: input, outputs: output });
  };
  const cases: [string, () => tfl.LayersModel][] = [
    [
      "a depthwise convolution, strided, dilated, with two filters a channel",
      () =>
        modelOf(
          [9, 8, 3],
          new layers.DepthwiseConv2D({ kernelSize: 3, strides: 2, padding: 1, depthMultiplier: 2 }),
          new layers.DepthwiseConv2D({ kernelSize: [2, 1], dilation: 2, useBias: false }),
        ),
    ],
    [
      "a convolution of unequal sides, strides, paddings and dilations",
      () =>
        modelOf(
          [12, 10, 2],
          new layers.Conv2D({ filters: 4, kernelSize: [5, 3], strides: [1, 2], padding: [2, 0], activation: "relu" }),
          new layers.Conv2D({ filters: 4, kernelSize: 3, padding: [1, 2], dilation: [2, 1], groups: 2 }),
        ),
    ],
    [
      "a padded average pooling",
      () => modelOf([9, 8, 2], new layers.AvgPool2D({ poolSize: 3, strides: 2, padding: 1 })),
    ],
    [
      "a padded average pooling without its padding",
      () => modelOf([9, 8, 2], new layers.AvgPool2D({ poolSize: 3, strides: 2, padding: 1, countIncludePad: false })),
    ],
    [
      "dense layers and layer norms of images",
      () => modelOf([4, 5, 6], new layers.LayerNorm(), new layers.Dense({ units: 3 }), new layers.Gelu()),
    ],
    [
      "dense layers and layer norms of sequences",
      () => modelOf([5, 6], new layers.LayerNorm(), new layers.Dense({ units: 3, useBias: false })),
    ],
    [
      "a batch norm of vectors, a sigmoid",
      () => modelOf([6], new layers.BatchNorm(), tfl.layers.activation({ activation: "sigmoid" })),
    ],
    [
      "activations of generators",
      () =>
        modelOf(
          [4, 5, 3],
          new layers.LeakyReLU({ slope: 0.2 }),
          new layers.Elu({ alpha: 0.5 }),
          new layers.Silu(),
          new layers.Tanh(),
          new layers.Sigmoid(),
        ),
    ],
    [
      "transposed convolutions",
      () =>
        modelOf(
          [3, 2, 5],
          new layers.ConvTranspose2D({ filters: 4, kernelSize: 4, strides: 2, padding: 1 }),
          new layers.ConvTranspose2D({
            filters: 3,
            kernelSize: [3, 2],
            strides: 2,
            outputPadding: [1, 0],
            useBias: false,
          }),
        ),
    ],
    [
      "larger images",
      () =>
        modelOf(
          [3, 2, 2],
          new layers.Upsample2D({ factor: [2, 3] }),
          new layers.Upsample2D({ factor: 2, mode: "bilinear" }),
        ),
    ],
    [
      "group and instance norms",
      () =>
        modelOf(
          [4, 5, 6],
          new layers.GroupNorm({ groups: 3 }),
          new layers.InstanceNorm({ affine: true }),
          new layers.Conv2D({ filters: 2, kernelSize: 2 }),
          new layers.InstanceNorm(),
        ),
    ],
    ["a softmax over channels", () => modelOf([3, 2, 6], tfl.layers.activation({ activation: "softmax" }))],
    [
      "a layer that is used twice, dropouts, a shortcut of odd size",
      () => {
        const input = tfl.input({ shape: [7, 5, 4] });
        const shared = new layers.Conv2D({ name: "one", filters: 4, kernelSize: 3, padding: 1 });
        const gelu = new layers.Gelu({ name: "half" });
        const twice = shared.apply(gelu.apply(shared.apply(input))) as tfl.SymbolicTensor;
        const dropped = new layers.StochasticDepth({ rate: 0.5 }).apply(twice) as tfl.SymbolicTensor;
        const sum = new layers.Add({ activation: "relu" }).apply([dropped, input]) as tfl.SymbolicTensor;
        const shortcut = new layers.ShortcutA({ stride: 3, channels: 7 }).apply(sum) as tfl.SymbolicTensor;
        return tfl.model({ inputs: input, outputs: shortcut });
      },
    ],
  ];
  it.each(cases)("%s has the same outputs too", async (_, build) => {
    expect(await difference(build())).toBeLessThan(TOLERANCE);
  });
});

/** Layers of networks of text, which are not exported yet: `toOnnx` refuses them in one line. */
const ofText = [
  "ZooAppendTokens",
  "ZooAttentionDecoder",
  "ZooBias",
  "ZooBiasedAttention",
  "ZooCachedSelfAttention",
  "ZooConv1D",
  "ZooCrossAttention",
  "ZooEmbedding",
  "ZooGru",
  "ZooInProjection",
  "ZooLearnedPositions",
  "ZooLstm",
  "ZooMemoryAttention",
  "ZooPickTokens",
  "ZooProjectedSelfAttention",
  "ZooRelativePositions",
  "ZooRmsNorm",
  "ZooRnn",
  "ZooRotaryPositions",
  "ZooSinusoidalPositions",
];

/** Layers of networks that make images, likewise. */
const ofGenerators = [
  "ZooChannelShift",
  "ZooImageAttention",
  "ZooPadEnd",
  "ZooSharedLogVariance",
  "ZooSpectralEmbedding",
  "ZooTimeEmbedding",
  "ZooUnflatten",
];

it("every layer of ours but those of text and of images out of noise has a rule", () => {
  const classes = Object.values(layers).flatMap((layer) => ("className" in layer ? [layer.className] : []));
  expect(classes.length).toBeGreaterThan(15);
  expect(classes.filter((name) => !Object.hasOwn(layerRules, name)).sort()).toEqual(
    [...ofText, ...ofGenerators].sort(),
  );
});
