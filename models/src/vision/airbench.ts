/**
 * The network of Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU" (sec. 3.1 and the listing of airbench94):
 * a 2×2 convolution, three groups of two 3×3 convolutions that halve the image early, GELU, batch norms without scale,
 * and logits divided by 9. Layer names are the listing's places in its `nn.Sequential`.
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { dirac, initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { BatchNorm, Conv2D, Dense, Flatten, Gelu, MaxPool2D, Scale } from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";

export interface AirbenchOptions extends BuildOptions {
  /** channels of the three groups */
  widths?: readonly [number, number, number];
}

/** Filters of the first convolution: twice the 2 · 2 · 3 directions of a patch. */
const patchFilters = 24;

/** Convolution, 2×2 max pooling, batch norm, GELU; convolution, batch norm, GELU. */
function convGroup(x: tfl.SymbolicTensor, path: string, channels: number): tfl.SymbolicTensor {
  const conv3x3 = { filters: channels, kernelSize: 3, padding: 1, useBias: false };
  // In the listing 0.6 of the running statistics stay.
  const norm = { momentum: 0.4, epsilon: 1e-12, scale: false };
  return chain(
    x, // [batch, height, width, inChannels]
    new Conv2D({ name: `${path}.conv1`, ...conv3x3 }),
    new MaxPool2D({ name: `${path}.pool`, poolSize: 2 }), // [batch, height / 2, width / 2, channels]
    new BatchNorm({ name: `${path}.norm1`, ...norm }),
    new Gelu({ name: `${path}.activ1` }),
    new Conv2D({ name: `${path}.conv2`, ...conv3x3 }),
    new BatchNorm({ name: `${path}.norm2`, ...norm }),
    new Gelu({ name: `${path}.activ2` }),
  );
}

/**
 * @returns [batch, 32, 32, 3] -> logits [batch, classes]
 */
export function airbench94(options: AirbenchOptions = {}): tfl.LayersModel {
  const { widths = [64, 256, 256], classes = 10, seed = 0, inputShape = [32, 32, 3], name = "airbench94" } = options;
  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let x = chain(
    images,
    new Conv2D({ name: "0", filters: patchFilters, kernelSize: 2 }), // [batch, 31, 31, 24]
    new Gelu({ name: "1" }),
  );
  widths.forEach((channels, i) => {
    x = convGroup(x, String(i + 2), channels);
  }); // [batch, 3, 3, 256]
  const logits = chain(
    x,
    new MaxPool2D({ name: "5", poolSize: 3 }), // [batch, 1, 1, 256]
    new Flatten({ name: "6" }),
    new Dense({ name: "7", units: classes, useBias: false }),
    new Scale({ name: "8", factor: 1 / 9 }),
  );
  return initialize(tfl.model({ inputs: images, outputs: logits, name }), seed, { conv: dirac, dense: lecunUniform });
}

export const airbenches = [
  classifier({
    name: "airbench94",
    family: "airbench",
    summary: "Jordan's network for 94 % in the least work",
    inputShape: [32, 32, 3],
    classes: 10,
    params: 1_971_640,
    macs: 118_147_360,
    build: airbench94,
  }),
];
