/**
 * Inception v3 (Szegedy, Vanhoucke, Ioffe, Shlens & Wojna 2016, "Rethinking the Inception architecture for computer
 * vision", table 1): blocks of branches side by side, with large convolutions factored into small and into flat ones.
 * Layer names and details are torchvision's (`Mixed_5b.branch5x5_1.conv` …).
 *
 * The network that FID is measured on (Heusel et al. 2017) is TensorFlow's graph of December 2015, an older training of
 * nearly the same: its averages leave out padding, its last block pools by the maximum, and it has 1,008 classes.
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { initialize, truncatedNormal } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import {
  AvgPool2D,
  BatchNorm,
  Concat,
  Conv2D,
  Dense,
  Dropout,
  Flatten,
  GlobalAvgPool2D,
  MaxPool2D,
} from "../layers/index.ts";
import { type BuildOptions, type ClassifierEntry, classifier } from "../model-entry.ts";
import type { PairLike } from "../ops/window.ts";

export interface InceptionOptions extends BuildOptions {
  /** channels of the first convolution; all others grow with it: a multiple of 2 */
  width?: number;
  /** share of features that training drops */
  dropout?: number;
  /**
   * A second output: the logits of an auxiliary classifier in the middle (sec. 4), whose loss counts 0.4 in training beside
   * that of the first and which inference has no use for. It takes images of 299 pixels.
   */
  auxLogits?: boolean;
}

/** What the graph of 2015 does in another way. */
type Form = "torchvision" | "fid";

type Tensor = tfl.SymbolicTensor;

/** What the blocks of a network have in common. */
interface Blocks {
  /** A convolution, batch norm and ReLU, of so many channels in a network of full width. */
  conv(x: Tensor, path: string, channels: number, kernelSize: PairLike, more?: ConvOptions): Tensor;
  form: Form;
}

interface ConvOptions {
  strides?: number;
  padding?: PairLike;
}

function blocksOf(width: number, form: Form): Blocks {
  return {
    form,
    conv: (x, path, channels, kernelSize, { strides = 1, padding = 0 } = {}) =>
      chain(
        x,
        new Conv2D({
          name: `${path}.conv`,
          filters: (channels * width) / 32,
          kernelSize,
          strides,
          padding,
          useBias: false,
        }),
        new BatchNorm({ name: `${path}.bn`, epsilon: 1e-3, activation: "relu" }),
      ),
  };
}

const concat = (branches: Tensor[], path: string): Tensor =>
  new Concat({ name: `${path}.concat` }).apply(branches) as Tensor;

/** The flat convolutions that n × n is factored into (sec. 3.2). */
const flat = (n: number): ConvSize => [[1, n], { padding: [0, (n - 1) / 2] }];
const upright = (n: number): ConvSize => [[n, 1], { padding: [(n - 1) / 2, 0] }];
type ConvSize = [kernelSize: PairLike, more: ConvOptions];

/** 3×3 averages, or maxima, of the same size, and a 1×1 convolution. */
function pooled(
  x: Tensor,
  path: string,
  channels: number,
  { conv, form }: Blocks,
  kind: "avg" | "max" = "avg",
): Tensor {
  const window = { name: `${path}.pool`, poolSize: 3, strides: 1, padding: 1 };
  const pool = kind === "max" ? new MaxPool2D(window) : new AvgPool2D({ ...window, countIncludePad: form !== "fid" });
  return conv(chain(x, pool), `${path}.branch_pool`, channels, 1);
}

/** Figure 5: 5×5 as two 3×3. [batch, 35, 35, channels] -> [batch, 35, 35, 224 + poolChannels] */
function blockA(x: Tensor, path: string, poolChannels: number, blocks: Blocks): Tensor {
  const { conv } = blocks;
  const branch1x1 = conv(x, `${path}.branch1x1`, 64, 1);
  let branch5x5 = conv(x, `${path}.branch5x5_1`, 48, 1);
  branch5x5 = conv(branch5x5, `${path}.branch5x5_2`, 64, 5, { padding: 2 });
  let branch3x3 = conv(x, `${path}.branch3x3dbl_1`, 64, 1);
  branch3x3 = conv(branch3x3, `${path}.branch3x3dbl_2`, 96, 3, { padding: 1 });
  branch3x3 = conv(branch3x3, `${path}.branch3x3dbl_3`, 96, 3, { padding: 1 });
  return concat([branch1x1, branch5x5, branch3x3, pooled(x, path, poolChannels, blocks)], path);
}

/** Figure 10: halves the image. [batch, 35, 35, 288] -> [batch, 17, 17, 768] */
function blockB(x: Tensor, path: string, { conv }: Blocks): Tensor {
  const branch3x3 = conv(x, `${path}.branch3x3`, 384, 3, { strides: 2 });
  let double = conv(x, `${path}.branch3x3dbl_1`, 64, 1);
  double = conv(double, `${path}.branch3x3dbl_2`, 96, 3, { padding: 1 });
  double = conv(double, `${path}.branch3x3dbl_3`, 96, 3, { strides: 2 });
  const pool = chain(x, new MaxPool2D({ name: `${path}.branch_pool`, poolSize: 3, strides: 2 }));
  return concat([branch3x3, double, pool], path);
}

/** Figure 6: 7×7 as 1×7 and 7×1. [batch, 17, 17, 768] -> [batch, 17, 17, 768] */
function blockC(x: Tensor, path: string, channels: number, blocks: Blocks): Tensor {
  const { conv } = blocks;
  const branch1x1 = conv(x, `${path}.branch1x1`, 192, 1);
  let branch7x7 = conv(x, `${path}.branch7x7_1`, channels, 1);
  branch7x7 = conv(branch7x7, `${path}.branch7x7_2`, channels, ...flat(7));
  branch7x7 = conv(branch7x7, `${path}.branch7x7_3`, 192, ...upright(7));
  let double = conv(x, `${path}.branch7x7dbl_1`, channels, 1);
  double = conv(double, `${path}.branch7x7dbl_2`, channels, ...upright(7));
  double = conv(double, `${path}.branch7x7dbl_3`, channels, ...flat(7));
  double = conv(double, `${path}.branch7x7dbl_4`, channels, ...upright(7));
  double = conv(double, `${path}.branch7x7dbl_5`, 192, ...flat(7));
  return concat([branch1x1, branch7x7, double, pooled(x, path, 192, blocks)], path);
}

/** Halves the image again. [batch, 17, 17, 768] -> [batch, 8, 8, 1280] */
function blockD(x: Tensor, path: string, { conv }: Blocks): Tensor {
  let branch3x3 = conv(x, `${path}.branch3x3_1`, 192, 1);
  branch3x3 = conv(branch3x3, `${path}.branch3x3_2`, 320, 3, { strides: 2 });
  let branch7x7 = conv(x, `${path}.branch7x7x3_1`, 192, 1);
  branch7x7 = conv(branch7x7, `${path}.branch7x7x3_2`, 192, ...flat(7));
  branch7x7 = conv(branch7x7, `${path}.branch7x7x3_3`, 192, ...upright(7));
  branch7x7 = conv(branch7x7, `${path}.branch7x7x3_4`, 192, 3, { strides: 2 });
  const pool = chain(x, new MaxPool2D({ name: `${path}.branch_pool`, poolSize: 3, strides: 2 }));
  return concat([branch3x3, branch7x7, pool], path);
}

/** Figure 7: 3×3 as 1×3 and 3×1 side by side. [batch, 8, 8, channels] -> [batch, 8, 8, 2048] */
function blockE(x: Tensor, path: string, kind: "avg" | "max", blocks: Blocks): Tensor {
  const { conv } = blocks;
  const split = (y: Tensor, branch: string) =>
    concat([conv(y, `${branch}a`, 384, ...flat(3)), conv(y, `${branch}b`, 384, ...upright(3))], branch);
  const branch1x1 = conv(x, `${path}.branch1x1`, 320, 1);
  const branch3x3 = split(conv(x, `${path}.branch3x3_1`, 384, 1), `${path}.branch3x3_2`);
  let double = conv(x, `${path}.branch3x3dbl_1`, 448, 1);
  double = conv(double, `${path}.branch3x3dbl_2`, 384, 3, { padding: 1 });
  double = split(double, `${path}.branch3x3dbl_3`);
  return concat([branch1x1, branch3x3, double, pooled(x, path, 192, blocks, kind)], path);
}

/** Figure 8: classes from the middle. [batch, 17, 17, 768] -> logits [batch, classes] */
function auxiliary(x: Tensor, path: string, classes: number, { conv }: Blocks): Tensor {
  let y = chain(x, new AvgPool2D({ name: `${path}.pool`, poolSize: 5, strides: 3 })); // [batch, 5, 5, 768]
  y = conv(y, `${path}.conv0`, 128, 1);
  y = conv(y, `${path}.conv1`, 768, 5); // [batch, 1, 1, 768]
  return chain(y, new Flatten({ name: `${path}.flatten` }), new Dense({ name: `${path}.fc`, units: classes }));
}

function inception(form: Form, options: InceptionOptions): tfl.LayersModel {
  const { width = 32, dropout = 0.5, auxLogits = false, seed = 0, inputShape = [299, 299, 3] } = options;
  const { classes = form === "fid" ? 1008 : 1000, name = form === "fid" ? "inception-v3-fid" : "inception-v3" } =
    options;
  const blocks = blocksOf(width, form);
  const { conv } = blocks;
  const maxPool = (path: string) => new MaxPool2D({ name: path, poolSize: 3, strides: 2 });

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let x = conv(images, "Conv2d_1a_3x3", 32, 3, { strides: 2 }); // [batch, 149, 149, 32]
  x = conv(x, "Conv2d_2a_3x3", 32, 3); // [batch, 147, 147, 32]
  x = conv(x, "Conv2d_2b_3x3", 64, 3, { padding: 1 });
  x = chain(x, maxPool("maxpool1")); // [batch, 73, 73, 64]
  x = conv(x, "Conv2d_3b_1x1", 80, 1);
  x = conv(x, "Conv2d_4a_3x3", 192, 3); // [batch, 71, 71, 192]
  x = chain(x, maxPool("maxpool2")); // [batch, 35, 35, 192]
  x = blockA(x, "Mixed_5b", 32, blocks); // [batch, 35, 35, 256]
  x = blockA(x, "Mixed_5c", 64, blocks); // [batch, 35, 35, 288]
  x = blockA(x, "Mixed_5d", 64, blocks);
  x = blockB(x, "Mixed_6a", blocks); // [batch, 17, 17, 768]
  for (const [letter, channels] of Object.entries({ b: 128, c: 160, d: 160, e: 192 })) {
    x = blockC(x, `Mixed_6${letter}`, channels, blocks);
  }
  const aux = auxLogits ? [auxiliary(x, "AuxLogits", classes, blocks)] : [];
  x = blockD(x, "Mixed_7a", blocks); // [batch, 8, 8, 1280]
  x = blockE(x, "Mixed_7b", "avg", blocks); // [batch, 8, 8, 2048]
  x = blockE(x, "Mixed_7c", form === "fid" ? "max" : "avg", blocks);
  const logits = chain(
    x,
    new GlobalAvgPool2D({ name: "avgpool" }), // [batch, 2048]
    new Dropout({ name: "dropout", rate: dropout }),
    new Dense({ name: "fc", units: classes }),
  );
  return initialize(tfl.model({ inputs: images, outputs: [logits, ...aux], name }), seed, {
    conv: truncatedNormal(0.1),
    dense: truncatedNormal(0.1),
    named: (weight) => auxiliaryWeights[weight],
  });
}

/** torchvision begins the auxiliary classifier with smaller weights. */
const auxiliaryWeights: { [name: string]: ReturnType<typeof truncatedNormal> } = {
  "AuxLogits.conv1.conv/weight": truncatedNormal(0.01),
  "AuxLogits.fc/weight": truncatedNormal(0.001),
};

/**
 * @returns [batch, 299, 299, 3] -> logits [batch, classes], and with `auxLogits` those of the auxiliary classifier, too
 */
export function inceptionV3(options: InceptionOptions = {}): tfl.LayersModel {
  return inception("torchvision", options);
}

/**
 * The network of published FID, with the names of weights that pytorch-fid gave them (`pt_inception-2015-12-05`). What
 * FID compares is what its last layer, `fc`, reads: [batch, 2048].
 *
 * @returns [batch, 299, 299, 3], pixels in −1 … 1 -> logits [batch, classes]
 */
export function inceptionV3Fid(options: Omit<InceptionOptions, "auxLogits"> = {}): tfl.LayersModel {
  return inception("fid", options);
}

/** Both were trained on pixels in −1 … 1. */
const half = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/** The smallest images whose last map has a pixel. */
const smallest = [75, 75, 3] as const;

export const inceptions: ClassifierEntry[] = [
  classifier({
    name: "inception-v3",
    family: "inception",
    summary: "Inception v3, without its auxiliary classifier",
    inputShape: [299, 299, 3],
    classes: 1000,
    normalisation: half,
    params: 23_834_568,
    macs: 5_713_216_096,
    build: inceptionV3,
    narrow: (options) => inceptionV3({ width: 2, inputShape: smallest, classes: 7, ...options }),
  }),
  classifier({
    name: "inception-v3-fid",
    family: "inception",
    summary: "Inception v3 of December 2015, whose features FID is of",
    inputShape: [299, 299, 3],
    classes: 1008,
    normalisation: half,
    params: 23_850_960,
    macs: 5_713_232_480,
    build: inceptionV3Fid,
    narrow: (options) => inceptionV3Fid({ width: 2, inputShape: smallest, classes: 7, ...options }),
  }),
];
