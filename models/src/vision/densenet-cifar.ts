/**
 * DenseNet for CIFAR (Huang, Liu, van der Maaten & Weinberger 2017, "Densely connected convolutional networks", sec. 3
 * and 4.2): three blocks at 32×32, 16×16 and 8×8 pixels, in which every layer sees the outputs of all before it.
 * Layer names are torchvision's (`features.denseblock1.denselayer1.norm1` …).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { heNormal, initialize, lecunUniform } from "../initialize.ts";
import { AvgPool2D, BatchNorm, Concat, Conv2D, Dense, GlobalAvgPool2D } from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";
import { chain } from "./chain.ts";

export interface DenseNetCifarOptions extends BuildOptions {
  /** layers of each block: (depth − 4) / 3 */
  layers?: number;
  /** growth rate k: channels that a layer adds */
  growth?: number;
  /** channels of the first convolution */
  width?: number;
}

/** x -> [x, H(x)], H = batch norm, ReLU, 3×3 convolution (eq. 2 and "composite function"). */
function denseLayer(x: tfl.SymbolicTensor, path: string, growth: number): tfl.SymbolicTensor {
  const added = chain(
    x, // [batch, height, width, channels]
    new BatchNorm({ name: `${path}.norm1`, activation: "relu" }),
    new Conv2D({ name: `${path}.conv1`, filters: growth, kernelSize: 3, padding: 1, useBias: false }),
  ); // [batch, height, width, growth]
  return new Concat({ name: `${path}.concat` }).apply([x, added]) as tfl.SymbolicTensor;
}

/** Halves the image between blocks ("pooling layers"). */
function transition(x: tfl.SymbolicTensor, path: string): tfl.SymbolicTensor {
  return chain(
    x,
    new BatchNorm({ name: `${path}.norm`, activation: "relu" }),
    new Conv2D({ name: `${path}.conv`, filters: x.shape[3] as number, kernelSize: 1, useBias: false }),
    new AvgPool2D({ name: `${path}.pool`, poolSize: 2 }),
  );
}

/**
 * @returns [batch, 32, 32, 3] -> logits [batch, classes]
 */
export function densenetCifar(options: DenseNetCifarOptions = {}): tfl.LayersModel {
  const { layers = 12, growth = 12, width = 16, classes = 10, seed = 0 } = options;
  const { inputShape = [32, 32, 3], name = `densenet${3 * layers + 4}` } = options;

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let x = chain(
    images,
    new Conv2D({ name: "features.conv0", filters: width, kernelSize: 3, padding: 1, useBias: false }),
  ); // [batch, 32, 32, width]
  for (const block of [1, 2, 3]) {
    for (let layer = 1; layer <= layers; layer++) {
      x = denseLayer(x, `features.denseblock${block}.denselayer${layer}`, growth);
    }
    if (block < 3) x = transition(x, `features.transition${block}`);
  } // [batch, 8, 8, width + 3 · layers · growth]
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

export const densenetsCifar = [
  classifier({
    name: "densenet40",
    family: "densenet",
    summary: "DenseNet-40 for CIFAR, growth rate 12",
    inputShape: [32, 32, 3],
    classes: 10,
    params: 1_019_722,
    macs: 264_812_928,
    build: (options) => densenetCifar({ ...options, name: "densenet40" }),
  }),
];
