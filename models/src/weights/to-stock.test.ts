import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  Add,
  AvgPool2D,
  Conv2D,
  ConvTranspose2D,
  DepthwiseConv2D,
  Dropout,
  Elu,
  GlobalAvgPool2D,
  LayerScale,
  LeakyReLU,
  MaxPool2D,
  PatchEmbedding,
  ReLU,
  SelfAttention,
  ShortcutA,
  Sigmoid,
  Silu,
  Tanh,
  TokenPool,
  Upsample2D,
} from "../layers/index.ts";
import { convnext } from "../vision/convnext.ts";
import { mlpMixer } from "../vision/mlp-mixer.ts";
import { chain, inputFor, relativeError, scatter, tinyLeNet, tinyResNet } from "./test-nets.ts";
import { layersModelWeightsFile, toLayersModel } from "./to-layers-model.ts";
import { toStockModel } from "./to-stock.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

function modelOf(shape: number[], ...layers: tfl.layers.Layer[]): tfl.LayersModel {
  const input = tfl.input({ shape });
  return scatter(tfl.model({ inputs: input, outputs: chain(input, ...layers) }));
}

function checkSame(model: tfl.LayersModel, stock: tfl.LayersModel): void {
  const x = inputFor(model);
  expect(stock.outputs[0].shape).toEqual(model.outputs[0].shape);
  expect(relativeError(stock.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor)).toBeLessThan(1e-5);
}

const tinyMixer = () =>
  scatter(mlpMixer({ patchSize: 4, dim: 6, depth: 2, tokenUnits: 5, channelUnits: 7, inputShape: [8, 12, 3] }));
const tinyConvNext = () => scatter(convnext({ depths: [1, 2], widths: [4, 6], patchSize: 2, inputShape: [8, 12, 3] }));

const classes = (model: tfl.LayersModel) => model.layers.map((layer) => layer.getClassName());

describe("the stock equivalent", () => {
  it.each([
    ["resnet", tinyResNet],
    ["lenet", tinyLeNet],
    ["mixer", tinyMixer],
    ["convnext", tinyConvNext],
  ])("of a small %s has no layer of ours, the same names and outputs", (_, build) => {
    const model = build();
    const { model: stock, needsImport, reasons } = toStockModel(model);
    expect(reasons).toEqual([]);
    expect(needsImport).toBeNull();
    expect(classes(stock).filter((name) => name.startsWith("Zoo"))).toEqual([]);
    const names = stock.layers.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(model.layers.map(({ name }) => name)));
    checkSame(model, stock);
  });

  const relu = () => new ReLU();
  const covered: [string, number[], () => tfl.layers.Layer[], string[]][] = [
    ["convolution, 'same'", [8, 8, 2], () => [new Conv2D({ filters: 3, kernelSize: 3, padding: 1 })], ["Conv2D"]],
    [
      "convolution, stride 2, even",
      [8, 8, 2],
      () => [new Conv2D({ filters: 3, kernelSize: 3, padding: 1, strides: 2 })],
      ["ZeroPadding2D", "Conv2D"],
    ],
    [
      "convolution, stride 2, odd",
      [9, 9, 2],
      () => [new Conv2D({ filters: 3, kernelSize: 3, padding: 1, strides: 2 })],
      ["Conv2D"],
    ],
    [
      "convolution, odd and even",
      [9, 8, 2],
      () => [new Conv2D({ filters: 3, kernelSize: 3, padding: 1, strides: 2 })],
      ["ZeroPadding2D", "Conv2D"],
    ],
    [
      "convolution, 7x7 stride 2",
      [20, 20, 2],
      () => [new Conv2D({ filters: 3, kernelSize: 7, padding: 3, strides: 2 })],
      ["ZeroPadding2D", "Conv2D"],
    ],
    [
      "convolution, stride above the kernel",
      [8, 8, 2],
      () => [new Conv2D({ filters: 3, kernelSize: 1, strides: 3 })],
      ["Conv2D"],
    ],
    [
      "convolution, dilated",
      [9, 9, 2],
      () => [new Conv2D({ filters: 3, kernelSize: 3, padding: 2, dilation: 2 })],
      ["Conv2D"],
    ],
    [
      "convolution, dilated, narrow",
      [9, 9, 2],
      () => [new Conv2D({ filters: 3, kernelSize: 3, padding: 1, dilation: 2 })],
      ["ZeroPadding2D", "Conv2D"],
    ],
    [
      "convolution, more padding than 'same'",
      [8, 8, 2],
      () => [new Conv2D({ filters: 3, kernelSize: 3, padding: 2 })],
      ["ZeroPadding2D", "Conv2D"],
    ],
    [
      "depthwise, stride 2",
      [8, 8, 2],
      () => [new DepthwiseConv2D({ kernelSize: 3, padding: 1, strides: 2, depthMultiplier: 3 })],
      ["ZeroPadding2D", "DepthwiseConv2D"],
    ],
    [
      "activations of generators",
      [4, 4, 3],
      () => [new LeakyReLU({ slope: 0.2 }), new Elu(), new Silu(), new Tanh(), new Sigmoid()],
      ["LeakyReLU", "ELU", "Activation", "Activation", "Activation"],
    ],
    [
      "transposed convolution, stride 2",
      [4, 3, 2],
      () => [new ConvTranspose2D({ filters: 3, kernelSize: 4, strides: 2, padding: 1 })],
      ["Conv2DTranspose", "Cropping2D"],
    ],
    [
      "transposed convolution, output padding",
      [4, 3, 2],
      () => [
        new ConvTranspose2D({ filters: 3, kernelSize: [3, 1], strides: [2, 3], padding: [1, 0], outputPadding: 1 }),
      ],
      ["Conv2DTranspose", "Cropping2D"],
    ],
    [
      "transposed convolution, whole",
      [1, 1, 4],
      () => [new ConvTranspose2D({ filters: 3, kernelSize: 4, useBias: false })],
      ["Conv2DTranspose"],
    ],
    ["upsampling", [4, 3, 2], () => [new Upsample2D({ factor: [2, 3] })], ["UpSampling2D"]],
    ["max pooling", [9, 8, 2], () => [new MaxPool2D({ poolSize: 2 })], ["MaxPooling2D"]],
    [
      "max pooling, stride 2, odd",
      [9, 9, 2],
      () => [new MaxPool2D({ poolSize: 3, strides: 2, padding: 1 })],
      ["MaxPooling2D"],
    ],
    [
      "max pooling after ReLU",
      [8, 8, 2],
      () => [relu(), new MaxPool2D({ poolSize: 3, strides: 2, padding: 1 })],
      ["ReLU", "ZeroPadding2D", "MaxPooling2D"],
    ],
    [
      "average pooling, padded",
      [8, 8, 2],
      () => [new AvgPool2D({ poolSize: 3, strides: 2, padding: 1 })],
      ["ZeroPadding2D", "AveragePooling2D"],
    ],
    [
      "average pooling, padded as 'same'",
      [9, 9, 2],
      () => [new AvgPool2D({ poolSize: 3, strides: 1, padding: 1 })],
      ["ZeroPadding2D", "AveragePooling2D"],
    ],
    [
      "average pooling without its padding",
      [9, 9, 2],
      () => [new AvgPool2D({ poolSize: 3, strides: 1, padding: 1, countIncludePad: false })],
      ["AveragePooling2D"],
    ],
    ["shortcut A, stride 2, odd", [9, 8, 3], () => [new ShortcutA({ stride: 2, channels: 8 })], ["Conv2D"]],
    ["shortcut A, stride 3", [8, 8, 2], () => [new ShortcutA({ stride: 3, channels: 2 })], ["Conv2D"]],
    [
      "dropout, global pooling",
      [4, 4, 2],
      () => [new Dropout({ rate: 0.5 }), new GlobalAvgPool2D()],
      ["Dropout", "GlobalAveragePooling2D"],
    ],
    [
      "the first of some tokens",
      [4, 6, 2],
      () => [new PatchEmbedding({ patchSize: 2, units: 3 }), new TokenPool({ pool: "first" })],
      ["Conv2D", "Reshape", "Reshape", "Cropping2D", "Flatten"],
    ],
  ];
  it.each(covered)("%s", (_, shape, layers, expected) => {
    const model = modelOf(shape, ...layers());
    const { model: stock, needsImport } = toStockModel(model);
    expect(needsImport).toBeNull();
    expect(classes(stock).slice(1)).toEqual(expected);
    checkSame(model, stock);
  });

  const ours: [string, () => tfl.layers.Layer[], RegExp][] = [
    [
      "output padding alone",
      () => [new ConvTranspose2D({ name: "t", filters: 2, kernelSize: 3, strides: 2, outputPadding: 1 })],
      /^t: .*output padding/,
    ],
    ["bilinear upsampling", () => [new Upsample2D({ name: "up", mode: "bilinear" })], /^up: .*corners/],
    ["an ELU of its own", () => [new Elu({ name: "e", alpha: 0.5 })], /^e: .*ELU goes down to −1/],
    ["groups", () => [new Conv2D({ name: "c", filters: 4, kernelSize: 1, groups: 2 })], /^c: .*groups/],
    [
      "stride and dilation",
      () => [new Conv2D({ name: "c", filters: 4, kernelSize: 2, strides: 2, dilation: 2 })],
      /^c: .*both/,
    ],
    [
      "dilated depthwise",
      () => [new DepthwiseConv2D({ name: "c", kernelSize: 2, dilation: 2 })],
      /^c: .*ignores dilation/,
    ],
    [
      "padded max pooling below zero",
      () => [new MaxPool2D({ name: "c", poolSize: 3, strides: 2, padding: 1 })],
      /^c: .*-inf/,
    ],
    [
      "averages that leave out more padding than 'same' has",
      () => [new AvgPool2D({ name: "c", poolSize: 3, strides: 2, padding: 1, countIncludePad: false })],
      /^c: .*leaves this padding out/,
    ],
    [
      "attention",
      () => [new PatchEmbedding({ patchSize: 2, units: 6 }), new SelfAttention({ name: "c", heads: 1 })],
      /^c: .*ZooSelfAttention/,
    ],
    [
      "scaled tokens",
      () => [new PatchEmbedding({ patchSize: 2, units: 6 }), new LayerScale({ name: "c", initial: 1 })],
      /^c: .*tokens/,
    ],
  ];
  it.each(ours)("of %s is our own layer, and says what to import", (_, layers, reason) => {
    const model = modelOf([8, 8, 2], ...layers());
    const { model: stock, needsImport, reasons } = toStockModel(model);
    expect(needsImport).toBe("@tfjs-zoo/models");
    expect(reasons).toEqual([expect.stringMatching(reason)]);
    checkSame(model, stock);
  });

  it("of shared layers and several outputs keeps the graph", () => {
    const [a, b] = [tfl.input({ shape: [6, 6, 2] }), tfl.input({ shape: [6, 6, 2] })];
    const shared = new Conv2D({ name: "shared", filters: 2, kernelSize: 3, padding: 1 });
    const [ya, yb] = [chain(a, shared), chain(b, shared)];
    const sum = new Add().apply([ya, yb]) as tfl.SymbolicTensor;
    const model = scatter(tfl.model({ inputs: [a, b], outputs: [sum, yb] }));
    const { model: stock } = toStockModel(model);
    const x = [tf.randomNormal([1, 6, 6, 2]), tf.randomNormal([1, 6, 6, 2])];
    const [actual, expected] = [stock.predict(x), model.predict(x)] as tf.Tensor[][];
    expect(relativeError(actual[0], expected[0])).toBeLessThan(1e-5);
    expect(relativeError(actual[1], expected[1])).toBeLessThan(1e-5);
    expect(stock.weights.length).toBe(2);
  });

  it("has weights of its own", () => {
    const model = tinyResNet();
    const { model: stock } = toStockModel(model);
    const x = inputFor(model);
    const before = (stock.predict(x) as tf.Tensor).dataSync();
    for (const variable of model.weights) variable.write(tf.zerosLike(variable.read()));
    expect((stock.predict(x) as tf.Tensor).dataSync()).toEqual(before);
    model.dispose();
    expect((stock.predict(x) as tf.Tensor).dataSync()).toEqual(before);
  });
});

describe("the layers-model files", () => {
  it.each([
    ["resnet", tinyResNet],
    ["lenet", tinyLeNet],
    ["mixer", tinyMixer],
    ["convnext", tinyConvNext],
  ])("of a small %s open in a process that has only TensorFlow.js", async (_, build) => {
    const model = build();
    const before = tf.memory().numTensors;
    const files = await toLayersModel(model, { metadata: { classes: ["a_b", "c"] } });
    expect(tf.memory().numTensors).toBe(before);
    expect(files.needsImport).toBeNull();
    const x = inputFor(model);
    const folder = await mkdtemp(join(tmpdir(), "layers-model-"));
    try {
      await writeFile(join(folder, "model.json"), files.modelJson);
      await writeFile(join(folder, layersModelWeightsFile), files.weights);
      await writeFile(join(folder, "input.json"), JSON.stringify({ values: [...x.dataSync()], shape: x.shape }));
      const output = JSON.parse(
        (await promisify(execFile)(process.execPath, ["--input-type=module", "-e", stockPage, folder])).stdout,
      );
      const expected = model.predict(x) as tf.Tensor;
      expect(relativeError(tf.tensor(output.values, expected.shape), expected)).toBeLessThan(1e-5);
      expect(output.metadata).toEqual({ classes: ["a_b", "c"] });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("say what they need when stock layers don't suffice, and then open with it", async () => {
    const model = modelOf([8, 8, 4], new Conv2D({ name: "grouped", filters: 4, kernelSize: 3, groups: 2, padding: 1 }));
    const { modelJson, weights, needsImport } = await toLayersModel(model);
    expect(needsImport).toBe("@tfjs-zoo/models");
    const { modelTopology, weightsManifest } = JSON.parse(modelJson);
    const loaded = await tfl.loadLayersModel(
      tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData: weights.slice().buffer }),
    );
    checkSame(model, loaded);
  });
});

/** A page's code: reads the files of a folder through an IO handler, as `fetch` would, and prints the outputs. */
const stockPage = `
import { readFileSync } from "node:fs";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
const folder = process.argv[1];
const read = (name) => readFileSync(folder + "/" + name);
const { modelTopology, weightsManifest, userDefinedMetadata } = JSON.parse(read("model.json"));
const weightData = Uint8Array.from(read(weightsManifest[0].paths[0])).buffer;
const weightSpecs = weightsManifest[0].weights;
const model = await loadLayersModel({ load: async () => ({ modelTopology, weightSpecs, weightData, userDefinedMetadata }) });
const { values, shape } = JSON.parse(read("input.json"));
const metadata = model.getUserDefinedMetadata();
console.log(JSON.stringify({ values: [...model.predict(tf.tensor(values, shape)).dataSync()], metadata }));
`;
