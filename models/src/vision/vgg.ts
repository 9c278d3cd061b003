/**
 * VGG (Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", table 1) with
 * batch normalisation after every convolution, in the form that is usual for CIFAR: 32×32 images, five halvings down to
 * one pixel, and one dense layer for the paper's three. Layer names are torchvision's (`features.0` …, `classifier`).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { heNormal, initialize, lecunUniform } from "../initialize.ts";
import { BatchNorm, Conv2D, Dense, Flatten, MaxPool2D } from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";
import { chain } from "./chain.ts";

/** Convolutions of each stage: the columns A, B, D and E of table 1. */
const variants = {
  "vgg11-bn-cifar": { depths: [1, 1, 2, 2, 2], params: 9_231_114, macs: 152_769_536 },
  "vgg13-bn-cifar": { depths: [2, 2, 2, 2, 2], params: 9_416_010, macs: 228_267_008 },
  "vgg16-bn-cifar": { depths: [2, 2, 3, 3, 3], params: 14_728_266, macs: 313_201_664 },
  "vgg19-bn-cifar": { depths: [2, 2, 4, 4, 4], params: 20_040_522, macs: 398_136_320 },
} as const;

export interface VggCifarOptions extends BuildOptions {
  /** convolutions of each stage */
  depths?: readonly number[];
  /** channels of each stage */
  widths?: readonly number[];
}

/**
 * @returns [batch, 32, 32, 3] -> logits [batch, classes]
 */
export function vggCifar(options: VggCifarOptions = {}): tfl.LayersModel {
  const { depths = variants["vgg16-bn-cifar"].depths, widths = [64, 128, 256, 512, 512] } = options;
  const { classes = 10, seed = 0, inputShape = [32, 32, 3], name = "vgg-bn-cifar" } = options;

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let x: tfl.SymbolicTensor = images;
  let index = 0; // torchvision counts convolution, norm, ReLU and pool
  depths.forEach((depth, stage) => {
    for (let layer = 0; layer < depth; layer++) {
      x = chain(
        x,
        new Conv2D({ name: `features.${index}`, filters: widths[stage], kernelSize: 3, padding: 1 }),
        new BatchNorm({ name: `features.${index + 1}`, activation: "relu" }),
      ); // [batch, 32 / 2^stage, 32 / 2^stage, widths[stage]]
      index += 3;
    }
    x = chain(x, new MaxPool2D({ name: `features.${index}`, poolSize: 2 }));
    index += 1;
  }); // [batch, 1, 1, 512]
  const logits = chain(x, new Flatten({ name: "flatten" }), new Dense({ name: "classifier", units: classes }));
  const model = tfl.model({ inputs: images, outputs: logits, name });
  return initialize(model, seed, { conv: heNormal(), dense: lecunUniform });
}

export const vggs = Object.entries(variants).map(([name, { depths, params, macs }]) =>
  classifier({
    name,
    family: "vgg",
    summary: `VGG-${depths.reduce<number>((sum, depth) => sum + depth, 3)} with batch norm, for CIFAR`,
    inputShape: [32, 32, 3],
    classes: 10,
    params,
    macs,
    build: (options) => vggCifar({ ...options, depths, name }),
  }),
);
