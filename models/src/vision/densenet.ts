/**
 * DenseNet (Huang, Liu, van der Maaten & Weinberger 2017, "Densely connected convolutional networks"): every layer of a
 * block sees the outputs of all before it. For ImageNet (table 1), and for CIFAR (sec. 3 and 4.2) with and without
 * bottlenecks and compression (-BC). Layer names are torchvision's (`features.denseblock1.denselayer1.norm1` …).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { heNormal, initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import {
  AvgPool2D,
  BatchNorm,
  Concat,
  ConcatNormConv2D,
  Conv2D,
  Dense,
  GlobalAvgPool2D,
  MaxPool2D,
} from "../layers/index.ts";
import { type BuildOptions, type ClassifierEntry, classifier } from "../model-entry.ts";

export interface DenseNetOptions extends BuildOptions {
  /** layers of each block */
  layers?: readonly number[];
  /** growth rate k: channels that a layer adds */
  growth?: number;
  /** channels of the first convolution */
  width?: number;
  /** A 1×1 convolution to 4 k channels before each 3×3 ("bottleneck layers"), and half of the channels dropped between blocks ("compression"). */
  bottleneck?: boolean;
  /** How it begins: ImageNet's 7×7 convolution and pooling quarter the image, CIFAR's 3×3 keeps its size. */
  stem?: "imagenet" | "cifar";
  /**
   * Keep all that a layer computes for the backward pass: a sixth faster, with memory that grows with the square of the
   * depth. Else most of it is computed again. The weights and the outputs are the same.
   */
  keepAll?: boolean;
}

/** What the layers of a network have in common. */
type LayerOptions = Required<Pick<DenseNetOptions, "growth" | "bottleneck" | "keepAll">>;

/** Table 1; all with bottlenecks and compression. */
const imagenetVariants = {
  densenet121: { layers: [6, 12, 24, 16], growth: 32, width: 64, params: 7_978_856, macs: 2_834_161_664 },
  densenet161: { layers: [6, 12, 36, 24], growth: 48, width: 96, params: 28_681_000, macs: 7_727_907_072 },
  densenet169: { layers: [6, 12, 32, 32], growth: 32, width: 64, params: 14_149_480, macs: 3_359_843_328 },
  densenet201: { layers: [6, 12, 48, 32], growth: 32, width: 64, params: 20_013_928, macs: 4_291_365_888 },
} as const;

/** Table 2: (depth − 4) / 3 layers a block, or half as many where each has two convolutions. */
const cifarVariants = {
  densenet40: { layers: 12, width: 16, bottleneck: false, params: 1_019_722, macs: 264_812_928 },
  "densenet-bc40": { layers: 6, width: 24, bottleneck: true, params: 176_122, macs: 72_365_352 },
  "densenet-bc100": { layers: 16, width: 24, bottleneck: true, params: 769_162, macs: 287_929_692 },
} as const;

/** H([x₀, x₁, …]), H = batch norm, ReLU, convolution, once or twice (eq. 2 and "composite function"). */
function denseLayer(features: tfl.SymbolicTensor[], path: string, { growth, bottleneck, keepAll }: LayerOptions) {
  const conv3x3 = { filters: growth, kernelSize: 3, padding: 1 };
  const first = bottleneck ? { filters: 4 * growth, kernelSize: 1 } : conv3x3;
  const x = keepAll
    ? chain(
        concat(features, `${path}.concat`),
        new BatchNorm({ name: `${path}.norm1`, activation: "relu" }),
        new Conv2D({ name: `${path}.conv1`, useBias: false, ...first }),
      )
    : (new ConcatNormConv2D({ name: path, ...first }).apply([...features]) as tfl.SymbolicTensor); // norm1, conv1
  if (!bottleneck) return x; // [batch, height, width, growth]
  return chain(
    x, // [batch, height, width, 4 growth]
    new BatchNorm({ name: `${path}.norm2`, activation: "relu" }),
    new Conv2D({ name: `${path}.conv2`, ...conv3x3, useBias: false }),
  ); // [batch, height, width, growth]
}

/** Layers of which each sees the outputs of all before it. */
function denseBlock(x: tfl.SymbolicTensor, path: string, layers: number, options: LayerOptions) {
  const features = [x];
  for (let layer = 1; layer <= layers; layer++) {
    features.push(denseLayer(features, `${path}.denselayer${layer}`, options));
  }
  return concat(features, `${path}.concat`); // [batch, height, width, channels + layers · growth]
}

/** The channels of all features; of one, that itself. */
function concat(features: tfl.SymbolicTensor[], name: string): tfl.SymbolicTensor {
  return features.length === 1 ? features[0] : (new Concat({ name }).apply([...features]) as tfl.SymbolicTensor);
}

/** Halves the image between blocks, and the channels with compression ("pooling layers"). */
function transition(x: tfl.SymbolicTensor, path: string, compressed: boolean): tfl.SymbolicTensor {
  const channels = x.shape[3] as number;
  return chain(
    x,
    new BatchNorm({ name: `${path}.norm`, activation: "relu" }),
    new Conv2D({
      name: `${path}.conv`,
      filters: compressed ? Math.floor(channels / 2) : channels,
      kernelSize: 1,
      useBias: false,
    }),
    new AvgPool2D({ name: `${path}.pool`, poolSize: 2 }),
  );
}

/** [batch, 224, 224, 3] -> [batch, 56, 56, width]; CIFAR's keeps the image's size. */
function stemOf(images: tfl.SymbolicTensor, stem: "imagenet" | "cifar", width: number): tfl.SymbolicTensor {
  const conv = { name: "features.conv0", filters: width, useBias: false };
  if (stem === "cifar") return chain(images, new Conv2D({ ...conv, kernelSize: 3, padding: 1 }));
  return chain(
    images,
    new Conv2D({ ...conv, kernelSize: 7, strides: 2, padding: 3 }), // [batch, 112, 112, width]
    new BatchNorm({ name: "features.norm0", activation: "relu" }),
    new MaxPool2D({ name: "features.pool0", poolSize: 3, strides: 2, padding: 1 }),
  );
}

/**
 * @returns [batch, 224, 224, 3], or [batch, 32, 32, 3] with the CIFAR stem -> logits [batch, classes]
 */
export function densenet(options: DenseNetOptions = {}): tfl.LayersModel {
  const { layers = [6, 12, 24, 16], growth = 32, width = 64, bottleneck = true, stem = "imagenet" } = options;
  const { classes = 1000, seed = 0, inputShape = [224, 224, 3], keepAll = false, name = "densenet" } = options;

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let x = stemOf(images, stem, width);
  layers.forEach((count, i) => {
    x = denseBlock(x, `features.denseblock${i + 1}`, count, { growth, bottleneck, keepAll });
    if (i + 1 < layers.length) x = transition(x, `features.transition${i + 1}`, bottleneck);
  });
  const logits = chain(
    x,
    new BatchNorm({ name: "features.norm5", activation: "relu" }),
    new GlobalAvgPool2D({ name: "avgpool" }),
    new Dense({ name: "classifier", units: classes }),
  );
  return initialize(tfl.model({ inputs: images, outputs: logits, name }), seed, {
    conv: heNormal(),
    dense: lecunUniform,
  });
}

export interface DenseNetCifarOptions extends Omit<DenseNetOptions, "layers" | "stem"> {
  /** layers of each of the three blocks */
  layers?: number;
}

/**
 * @returns [batch, 32, 32, 3] -> logits [batch, classes]
 */
export function densenetCifar(options: DenseNetCifarOptions = {}): tfl.LayersModel {
  const { layers = 12, growth = 12, bottleneck = false, width = bottleneck ? 2 * growth : 16 } = options;
  const { classes = 10, inputShape = [32, 32, 3] } = options;
  const blocks = [layers, layers, layers];
  return densenet({ ...options, layers: blocks, growth, bottleneck, width, classes, inputShape, stem: "cifar" });
}

export const densenets: ClassifierEntry[] = [
  ...Object.entries(imagenetVariants).map(([name, { layers, growth, width, params, macs }]) =>
    classifier({
      name,
      family: "densenet",
      summary: `${name.replace("densenet", "DenseNet-")}, growth rate ${growth}`,
      inputShape: [224, 224, 3],
      classes: 1000,
      params,
      macs,
      build: (options) => densenet({ ...options, layers, growth, width, name }),
      narrow: (options) =>
        densenet({ layers: [1, 2, 2, 1], growth: 4, width: 6, inputShape: [64, 64, 3], classes: 7, ...options }),
    }),
  ),
  ...Object.entries(cifarVariants).map(([name, { layers, width, bottleneck, params, macs }]) =>
    classifier({
      name,
      family: "densenet",
      summary: `DenseNet-${bottleneck ? "BC-" : ""}${name.replace(/\D+/, "")} for CIFAR, growth rate 12`,
      inputShape: [32, 32, 3],
      classes: 10,
      params,
      macs,
      build: (options) => densenetCifar({ ...options, layers, width, bottleneck, name }),
    }),
  ),
];
