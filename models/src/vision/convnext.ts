/**
 * ConvNeXt (Liu et al. 2022, "A ConvNet for the 2020s"): a ResNet with what made vision transformers good: patches for a
 * stem, depthwise 7×7 convolutions, inverted bottlenecks, GELU, layer norm, and far fewer of each. Tiny (`convnext-tiny`,
 * sec. 2), and for CIFAR the size that its second paper calls atto (Woo et al. 2023, "ConvNeXt V2", appendix A), with
 * patches of 2 pixels where ImageNet's have 4. Layer names are timm's (`stages.0.blocks.0.conv_dw` …).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { initialize, truncatedNormal } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import {
  Add,
  Conv2D,
  Dense,
  DepthwiseConv2D,
  Gelu,
  GlobalAvgPool2D,
  LayerNorm,
  LayerScale,
  StochasticDepth,
} from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";

export interface ConvNextOptions extends BuildOptions {
  /** blocks of each stage */
  depths?: readonly number[];
  /** channels of each stage */
  widths?: readonly number[];
  /** pixels of a patch's side, which the stem makes one */
  patchSize?: number;
  /** how often the last block is dropped in training; the others less, in proportion to their depth (table 5) */
  stochasticDepth?: number;
}

const variants = {
  "convnext-tiny": {
    ...{ depths: [3, 3, 9, 3], widths: [96, 192, 384, 768], patchSize: 4 },
    ...{ params: 28_589_128, macs: 4_455_531_264 },
  },
  "convnext-atto-cifar": {
    ...{ depths: [2, 2, 6, 2], widths: [40, 80, 160, 320], patchSize: 2 },
    ...{ params: 3_376_290, macs: 44_288_640 },
  },
} as const;

const norm = (name: string) => new LayerNorm({ name, epsilon: 1e-6 });

/** y = x + γ W₂ σ(W₁ LN(7×7 depthwise x)), σ the GELU (fig. 4; γ as sec. 2.6 and appendix A.1 say). */
function block(x: tfl.SymbolicTensor, path: string, dropped: number): tfl.SymbolicTensor {
  const channels = x.shape[3] as number;
  const residual = chain(
    x, // [batch, height, width, channels]
    new DepthwiseConv2D({ name: `${path}.conv_dw`, kernelSize: 7, padding: 3 }),
    norm(`${path}.norm`),
    new Dense({ name: `${path}.mlp.fc1`, units: 4 * channels }), // [batch, height, width, 4 channels]
    new Gelu({ name: `${path}.mlp.act` }),
    new Dense({ name: `${path}.mlp.fc2`, units: channels }), // [batch, height, width, channels]
    new LayerScale({ name: `${path}.gamma`, initial: 1e-6 }),
    ...(dropped > 0 ? [new StochasticDepth({ name: `${path}.drop_path`, rate: dropped })] : []),
  );
  return new Add({ name: `${path}.add` }).apply([residual, x]) as tfl.SymbolicTensor;
}

/**
 * @returns [batch, 224, 224, 3], or [batch, 32, 32, 3] with patches of 2 -> logits [batch, classes]
 */
export function convnext(options: ConvNextOptions = {}): tfl.LayersModel {
  const { depths = [3, 3, 9, 3], widths = [96, 192, 384, 768], patchSize = 4, stochasticDepth = 0.1 } = options;
  const { classes = 1000, seed = 0, inputShape = [224, 224, 3], name = "convnext" } = options;

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let x = chain(
    images,
    new Conv2D({ name: "stem.0", filters: widths[0], kernelSize: patchSize, strides: patchSize }),
    norm("stem.1"),
  ); // [batch, height / patch, width / patch, widths[0]]
  const blocks = depths.reduce((sum, depth) => sum + depth);
  let index = 0;
  depths.forEach((depth, stage) => {
    const path = `stages.${stage}`;
    if (stage > 0) {
      x = chain(
        x,
        norm(`${path}.downsample.0`),
        new Conv2D({ name: `${path}.downsample.1`, filters: widths[stage], kernelSize: 2, strides: 2 }),
      ); // half the height and width
    }
    for (let i = 0; i < depth; i++) {
      x = block(x, `${path}.blocks.${i}`, (stochasticDepth * index++) / Math.max(blocks - 1, 1));
    }
  });
  const logits = chain(
    x,
    new GlobalAvgPool2D({ name: "head.global_pool" }), // [batch, channels]
    norm("head.norm"),
    new Dense({ name: "head.fc", units: classes }), // [batch, classes]
  );
  const model = tfl.model({ inputs: images, outputs: logits, name });
  return initialize(model, seed, { conv: truncatedNormal(0.02), dense: truncatedNormal(0.02) });
}

const { "convnext-tiny": tiny, "convnext-atto-cifar": atto } = variants;

const narrow: ConvNextOptions = {
  ...{ depths: [1, 1, 2, 1], widths: [4, 6, 8, 10], patchSize: 2 },
  ...{ inputShape: [32, 32, 3] as const, classes: 7 },
};

export const convnexts = [
  classifier({
    name: "convnext-tiny",
    family: "convnext",
    summary: "ConvNeXt-Tiny",
    inputShape: [224, 224, 3],
    classes: 1000,
    params: tiny.params,
    macs: tiny.macs,
    build: (options) => convnext({ ...options, ...tiny, name: "convnext-tiny" }),
    narrow: (options) => convnext({ ...narrow, ...options }),
  }),
  classifier({
    name: "convnext-atto-cifar",
    family: "convnext",
    summary: "ConvNeXt-Atto of patches of 2 pixels, for CIFAR",
    inputShape: [32, 32, 3],
    classes: 10,
    params: atto.params,
    macs: atto.macs,
    build: (options) =>
      convnext({ inputShape: [32, 32, 3], classes: 10, ...options, ...atto, name: "convnext-atto-cifar" }),
    narrow: (options) => convnext({ ...narrow, ...options }),
  }),
];
