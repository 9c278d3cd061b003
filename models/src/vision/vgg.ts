/**
 * VGG (Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", table 1), with
 * batch normalisation after every convolution (`-bn`) or without, and in the form that is usual for CIFAR (`-cifar`):
 * 32×32 images, five halvings down to one pixel, and one dense layer for the paper's three. Layer names are torchvision's
 * (`features.0` …, `classifier.0` …; CIFAR's one dense layer is `classifier`).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { heNormal, initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU } from "../layers/index.ts";
import { type BuildOptions, type ClassifierEntry, classifier } from "../model-entry.ts";

export interface VggOptions extends BuildOptions {
  /** convolutions of each stage */
  depths?: readonly number[];
  /** channels of each stage */
  widths?: readonly number[];
  batchNorm?: boolean;
  /** units of the two hidden dense layers; none with 0 */
  units?: number;
  /** share of their outputs that is dropped in training (sec. 3.1) */
  dropout?: number;
}

/** Convolutions of each stage: the columns A, B, D and E of table 1, and what these networks have and cost. */
const variants = {
  vgg11: {
    depths: [1, 1, 2, 2, 2],
    imagenet: { params: 132_863_336, bnParams: 132_868_840, macs: 7_609_090_048 },
    cifar: { params: 9_225_610, bnParams: 9_231_114, macs: 152_769_536 },
  },
  vgg13: {
    depths: [2, 2, 2, 2, 2],
    imagenet: { params: 133_047_848, bnParams: 133_053_736, macs: 11_308_466_176 },
    cifar: { params: 9_410_122, bnParams: 9_416_010, macs: 228_267_008 },
  },
  vgg16: {
    depths: [2, 2, 3, 3, 3],
    imagenet: { params: 138_357_544, bnParams: 138_365_992, macs: 15_470_264_320 },
    cifar: { params: 14_719_818, bnParams: 14_728_266, macs: 313_201_664 },
  },
  vgg19: {
    depths: [2, 2, 4, 4, 4],
    imagenet: { params: 143_667_240, bnParams: 143_678_248, macs: 19_632_062_464 },
    cifar: { params: 20_029_514, bnParams: 20_040_522, macs: 398_136_320 },
  },
} as const;

/**
 * @returns [batch, 224, 224, 3] -> logits [batch, classes]
 */
export function vgg(options: VggOptions = {}): tfl.LayersModel {
  const { depths = variants.vgg16.depths, widths = [64, 128, 256, 512, 512], batchNorm = false } = options;
  const { units = 4096, dropout = 0.5, classes = 1000, seed = 0 } = options;
  const { inputShape = [224, 224, 3], name = "vgg" } = options;

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let x: tfl.SymbolicTensor = images;
  let index = 0; // torchvision counts convolution, norm, ReLU and pool
  depths.forEach((depth, stage) => {
    for (let layer = 0; layer < depth; layer++) {
      const next = `features.${index + 1}`;
      x = chain(
        x,
        new Conv2D({ name: `features.${index}`, filters: widths[stage], kernelSize: 3, padding: 1 }),
        batchNorm ? new BatchNorm({ name: next, activation: "relu" }) : new ReLU({ name: next }),
      ); // [batch, 224 / 2^stage, 224 / 2^stage, widths[stage]]
      index += batchNorm ? 3 : 2;
    }
    x = chain(x, new MaxPool2D({ name: `features.${index}`, poolSize: 2 }));
    index += 1;
  }); // [batch, 7, 7, 512]
  x = chain(x, new Flatten({ name: "flatten" }));
  const logits =
    units === 0
      ? chain(x, new Dense({ name: "classifier", units: classes }))
      : chain(
          x,
          new Dense({ name: "classifier.0", units }),
          new ReLU({ name: "classifier.1" }),
          new Dropout({ name: "classifier.2", rate: dropout }),
          new Dense({ name: "classifier.3", units }),
          new ReLU({ name: "classifier.4" }),
          new Dropout({ name: "classifier.5", rate: dropout }),
          new Dense({ name: "classifier.6", units: classes }),
        ); // [batch, classes]
  const model = tfl.model({ inputs: images, outputs: logits, name });
  return initialize(model, seed, { conv: heNormal(), dense: lecunUniform });
}

/**
 * @returns [batch, 32, 32, 3] -> logits [batch, classes]
 */
export function vggCifar(options: Omit<VggOptions, "units"> = {}): tfl.LayersModel {
  return vgg({ batchNorm: true, classes: 10, inputShape: [32, 32, 3], ...options, units: 0 });
}

const narrow: VggOptions = { widths: [4, 6, 8, 6, 4], inputShape: [32, 32, 3] };

export const vggs = Object.entries(variants).flatMap(([column, { depths, imagenet, cifar }]) =>
  [false, true].flatMap((batchNorm): ClassifierEntry[] => {
    const name = batchNorm ? `${column}-bn` : column;
    const title = `${column.replace("vgg", "VGG-")}${batchNorm ? " with batch norm" : ""}`;
    const paramsOf = ({ params, bnParams }: { params: number; bnParams: number }) => (batchNorm ? bnParams : params);
    return [
      classifier({
        name,
        family: "vgg",
        summary: title,
        inputShape: [224, 224, 3],
        classes: 1000,
        params: paramsOf(imagenet),
        macs: imagenet.macs,
        build: (options) => vgg({ ...options, depths, batchNorm, name }),
        narrow: (options) => vgg({ ...narrow, depths, batchNorm, units: 12, classes: 7, ...options }),
      }),
      classifier({
        name: `${name}-cifar`,
        family: "vgg",
        summary: `${title}, for CIFAR`,
        inputShape: [32, 32, 3],
        classes: 10,
        params: paramsOf(cifar),
        macs: cifar.macs,
        build: (options) => vggCifar({ ...options, depths, batchNorm, name: `${name}-cifar` }),
        narrow: (options) => vggCifar({ ...narrow, depths, batchNorm, ...options }),
      }),
    ];
  }),
);
