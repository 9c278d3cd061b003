/**
 * Residual networks for CIFAR (He, Zhang, Ren & Sun 2016, "Deep residual learning for image recognition", sec. 4.2).
 *
 * Three stages of n blocks at 32×32, 16×16 and 8×8 pixels with 16, 32 and 64 channels: 6n + 2 layers with weights.
 * Layer names are those of the usual PyTorch form (`layer1.0.conv1` … `fc`).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { heNormal, initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { Add, BatchNorm, Conv2D, Dense, GlobalAvgPool2D, ShortcutA } from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";

export interface ResNetCifarOptions extends BuildOptions {
  /** blocks a stage */
  n?: number;
  /** Where a block changes the shape: A pads with zeros and has no parameters, B projects by a 1×1 convolution. */
  shortcut?: "A" | "B";
  /** Start every block as the identity: γ of its last batch norm is 0 (Goyal et al. 2017, sec. 5.1). */
  zeroGamma?: boolean;
  /** channels of the three stages */
  widths?: readonly [number, number, number];
}

const variants = {
  resnet20: { n: 3, params: 269_722, macs: 40_551_040 },
  resnet32: { n: 5, params: 464_154, macs: 68_862_592 },
  resnet44: { n: 7, params: 658_586, macs: 97_174_144 },
  resnet56: { n: 9, params: 853_018, macs: 125_485_696 },
  resnet110: { n: 18, params: 1_727_962, macs: 252_887_680 },
} as const;

/** y = relu(F(x) + x), F two 3×3 convolutions (fig. 2, left; eq. 1, and eq. 2 where the shape changes). */
function basicBlock(
  x: tfl.SymbolicTensor,
  path: string,
  { channels, stride, shortcut }: { channels: number; stride: number; shortcut: "A" | "B" },
): tfl.SymbolicTensor {
  const conv3x3 = { filters: channels, kernelSize: 3, padding: 1, useBias: false };
  const residual = chain(
    x, // [batch, height, width, inChannels]
    new Conv2D({ name: `${path}.conv1`, strides: stride, ...conv3x3 }), // [batch, height / stride, width / stride, channels]
    new BatchNorm({ name: `${path}.bn1`, activation: "relu" }),
    new Conv2D({ name: `${path}.conv2`, ...conv3x3 }),
    new BatchNorm({ name: `${path}.bn2` }),
  ); // [batch, height / stride, width / stride, channels]
  const carried = changesShape(x, channels, stride) ? newShape(x, path, channels, stride, shortcut) : x;
  return new Add({ name: `${path}.add`, activation: "relu" }).apply([residual, carried]) as tfl.SymbolicTensor;
}

const changesShape = (x: tfl.SymbolicTensor, channels: number, stride: number): boolean =>
  stride !== 1 || x.shape[3] !== channels;

function newShape(x: tfl.SymbolicTensor, path: string, channels: number, stride: number, shortcut: "A" | "B") {
  if (shortcut === "A") return chain(x, new ShortcutA({ name: `${path}.shortcut`, stride, channels }));
  return chain(
    x,
    new Conv2D({ name: `${path}.downsample.0`, filters: channels, kernelSize: 1, strides: stride, useBias: false }),
    new BatchNorm({ name: `${path}.downsample.1` }),
  );
}

/**
 * @returns [batch, 32, 32, 3] -> logits [batch, classes]
 */
export function resnetCifar(options: ResNetCifarOptions = {}): tfl.LayersModel {
  const { n = 3, shortcut = "A", zeroGamma = false, widths = [16, 32, 64], classes = 10, seed = 0 } = options;
  const { inputShape = [32, 32, 3], name = `resnet${6 * n + 2}` } = options;

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let x = chain(
    images, // [batch, 32, 32, 3]
    new Conv2D({ name: "conv1", filters: widths[0], kernelSize: 3, padding: 1, useBias: false }),
    new BatchNorm({ name: "bn1", activation: "relu" }),
  ); // [batch, 32, 32, 16]
  widths.forEach((channels, stage) => {
    for (let block = 0; block < n; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      x = basicBlock(x, `layer${stage + 1}.${block}`, { channels, stride, shortcut });
    }
  }); // [batch, 8, 8, 64]
  const logits = chain(x, new GlobalAvgPool2D({ name: "avgpool" }), new Dense({ name: "fc", units: classes }));

  return initialize(tfl.model({ inputs: images, outputs: logits, name }), seed, {
    conv: heNormal(),
    dense: lecunUniform,
    constant: (weight) => (zeroGamma && weight.endsWith(".bn2/weight") ? 0 : undefined),
  });
}

export const resnetsCifar = Object.entries(variants).map(([name, { n, params, macs }]) =>
  classifier({
    name,
    family: "resnet",
    summary: `ResNet-${6 * n + 2} for CIFAR, shortcuts of option A`,
    inputShape: [32, 32, 3],
    classes: 10,
    params,
    macs,
    build: (options) => resnetCifar({ ...options, n, name }),
  }),
);
