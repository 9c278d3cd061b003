/**
 * AlexNet (Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural networks"),
 * three times:
 *
 * - `alexnet-2012`: the paper's. Five convolutions, three of them in two groups, as they lay on two GPUs (fig. 2); local
 *   response normalisation, overlapping pooling, dropout. Layer names are the paper's (`conv1` … `fc8`).
 * - `alexnet`: torchvision's, after Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks":
 *   one tower with fewer filters, no normalisation. Layer names are torchvision's (`features.0` … `classifier.6`).
 * - `alexnet-cifar`: the same five convolutions and three dense layers for images of 32×32: smaller filters, no stride.
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { heNormal, initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { Conv2D, Dense, Dropout, Flatten, LocalResponseNorm, MaxPool2D, ReLU } from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";

export interface AlexNetOptions extends BuildOptions {
  /** filters of the five convolutions */
  widths?: readonly [number, number, number, number, number];
  /** units of the two hidden dense layers */
  units?: number;
  /** share of their inputs (torchvision) or outputs (the paper) that is dropped in training (sec. 4.2) */
  dropout?: number;
}

/** Overlapping pooling (sec. 3.4): windows of 3, 2 apart. */
const overlapping = { poolSize: 3, strides: 2 };

/**
 * The paper's form. Its images are 224×224; a border of 2 gives the 55×55 outputs that it counts.
 *
 * @returns [batch, 224, 224, 3] -> logits [batch, classes]
 */
export function alexnet2012(options: AlexNetOptions = {}): tfl.LayersModel {
  const { widths = [96, 256, 384, 384, 256], units = 4096, classes = 1000, seed = 0, name = "alexnet-2012" } = options;
  const { inputShape = [224, 224, 3], dropout = 0.5 } = options;
  const images = tfl.input({ shape: [...inputShape], name: "input" });
  const logits = chain(
    images,
    new Conv2D({ name: "conv1", filters: widths[0], kernelSize: 11, strides: 4, padding: 2 }), // [batch, 55, 55, 96]
    new ReLU({ name: "relu1" }),
    new LocalResponseNorm({ name: "norm1" }),
    new MaxPool2D({ name: "pool1", ...overlapping }), // [batch, 27, 27, 96]
    new Conv2D({ name: "conv2", filters: widths[1], kernelSize: 5, padding: 2, groups: 2 }), // [batch, 27, 27, 256]
    new ReLU({ name: "relu2" }),
    new LocalResponseNorm({ name: "norm2" }),
    new MaxPool2D({ name: "pool2", ...overlapping }), // [batch, 13, 13, 256]
    new Conv2D({ name: "conv3", filters: widths[2], kernelSize: 3, padding: 1 }), // [batch, 13, 13, 384]
    new ReLU({ name: "relu3" }),
    new Conv2D({ name: "conv4", filters: widths[3], kernelSize: 3, padding: 1, groups: 2 }),
    new ReLU({ name: "relu4" }),
    new Conv2D({ name: "conv5", filters: widths[4], kernelSize: 3, padding: 1, groups: 2 }), // [batch, 13, 13, 256]
    new ReLU({ name: "relu5" }),
    new MaxPool2D({ name: "pool5", ...overlapping }), // [batch, 6, 6, 256]
    new Flatten({ name: "flatten" }),
    new Dense({ name: "fc6", units }),
    new ReLU({ name: "relu6" }),
    new Dropout({ name: "drop6", rate: dropout }),
    new Dense({ name: "fc7", units }),
    new ReLU({ name: "relu7" }),
    new Dropout({ name: "drop7", rate: dropout }),
    new Dense({ name: "fc8", units: classes }), // [batch, classes]
  );
  return initialized(images, logits, name, seed);
}

/** How the first convolutions see an image: ImageNet's of 224×224, or CIFAR's of 32×32. */
const stems = {
  imagenet: {
    first: { kernelSize: 11, strides: 4, padding: 2 },
    widths: [64, 192, 384, 256, 256],
    units: 4096,
    classes: 1000,
    inputShape: [224, 224, 3],
  },
  cifar: {
    first: { kernelSize: 5, padding: 2 },
    widths: [64, 192, 384, 256, 256],
    units: 1024,
    classes: 10,
    inputShape: [32, 32, 3],
  },
} as const;

/**
 * torchvision's form.
 *
 * @returns [batch, 224, 224, 3], or [batch, 32, 32, 3] with the CIFAR stem -> logits [batch, classes]
 */
export function alexnet(options: AlexNetOptions & { stem?: keyof typeof stems } = {}): tfl.LayersModel {
  const { stem = "imagenet", seed = 0, name = "alexnet" } = options;
  const { first, ...defaults } = stems[stem];
  const { widths = defaults.widths, units = defaults.units, classes = defaults.classes } = options;
  const { inputShape = defaults.inputShape, dropout = 0.5 } = options;
  const images = tfl.input({ shape: [...inputShape], name: "input" });
  const logits = chain(
    images,
    new Conv2D({ name: "features.0", filters: widths[0], ...first }), // [batch, 55, 55, 64]; CIFAR: [batch, 32, 32, 64]
    new ReLU({ name: "features.1" }),
    new MaxPool2D({ name: "features.2", ...overlapping }), // [batch, 27, 27, 64]; [batch, 15, 15, 64]
    new Conv2D({ name: "features.3", filters: widths[1], kernelSize: 5, padding: 2 }),
    new ReLU({ name: "features.4" }),
    new MaxPool2D({ name: "features.5", ...overlapping }), // [batch, 13, 13, 192]; [batch, 7, 7, 192]
    new Conv2D({ name: "features.6", filters: widths[2], kernelSize: 3, padding: 1 }),
    new ReLU({ name: "features.7" }),
    new Conv2D({ name: "features.8", filters: widths[3], kernelSize: 3, padding: 1 }),
    new ReLU({ name: "features.9" }),
    new Conv2D({ name: "features.10", filters: widths[4], kernelSize: 3, padding: 1 }),
    new ReLU({ name: "features.11" }),
    new MaxPool2D({ name: "features.12", ...overlapping }), // [batch, 6, 6, 256]; [batch, 3, 3, 256]
    new Flatten({ name: "flatten" }),
    new Dropout({ name: "classifier.0", rate: dropout }),
    new Dense({ name: "classifier.1", units }),
    new ReLU({ name: "classifier.2" }),
    new Dropout({ name: "classifier.3", rate: dropout }),
    new Dense({ name: "classifier.4", units }),
    new ReLU({ name: "classifier.5" }),
    new Dense({ name: "classifier.6", units: classes }), // [batch, classes]
  );
  return initialized(images, logits, name, seed);
}

function initialized(images: tfl.SymbolicTensor, logits: tfl.SymbolicTensor, name: string, seed: number | null) {
  const model = tfl.model({ inputs: images, outputs: logits, name });
  return initialize(model, seed, { conv: heNormal(), dense: lecunUniform });
}

const narrow: AlexNetOptions = { widths: [4, 6, 8, 6, 4], units: 12, inputShape: [67, 67, 3], classes: 7 };

export const alexnets = [
  classifier({
    name: "alexnet-2012",
    family: "alexnet",
    summary: "AlexNet as in the paper: groups, local response norm",
    inputShape: [224, 224, 3],
    classes: 1000,
    params: 60_965_224,
    macs: 724_406_816,
    build: alexnet2012,
    narrow: (options) => alexnet2012({ ...narrow, ...options }),
  }),
  classifier({
    name: "alexnet",
    family: "alexnet",
    summary: "AlexNet in torchvision's form of one tower",
    inputShape: [224, 224, 3],
    classes: 1000,
    params: 61_100_840,
    macs: 714_188_480,
    build: (options) => alexnet({ ...options, name: "alexnet" }),
    narrow: (options) => alexnet({ ...narrow, ...options }),
  }),
  classifier({
    name: "alexnet-cifar",
    family: "alexnet",
    summary: "AlexNet's layers for CIFAR",
    inputShape: [32, 32, 3],
    classes: 10,
    params: 5_871_434,
    macs: 182_220_800,
    build: (options) => alexnet({ ...options, stem: "cifar", name: "alexnet-cifar" }),
    narrow: (options) => alexnet({ ...narrow, inputShape: [32, 32, 3], stem: "cifar", ...options }),
  }),
];
