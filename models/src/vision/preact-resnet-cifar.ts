/**
 * Residual networks for CIFAR with pre-activation (He, Zhang, Ren & Sun 2016, "Identity mappings in deep residual
 * networks", sec. 3 and fig. 4 e): batch norm and ReLU come before each convolution, so that what a block adds goes
 * unchanged to the end. Basic blocks as in `resnet20`, or bottlenecks (the paper's ResNet-164). Layer names are the
 * usual PyTorch ones (`layer1.0.bn1` …, `bn` before the end, `fc`).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { heNormal, initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { Add, BatchNorm, Conv2D, Dense, GlobalAvgPool2D } from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";

export interface PreactResNetCifarOptions extends BuildOptions {
  /** blocks a stage */
  n?: number;
  bottleneck?: boolean;
  /** channels of the three stages, before the expansion of bottlenecks */
  widths?: readonly [number, number, number];
}

const variants = {
  "preact-resnet20": { n: 3, bottleneck: false, params: 272_282, macs: 40_813_184 },
  "preact-resnet56": { n: 9, bottleneck: false, params: 855_578, macs: 125_747_840 },
  "preact-resnet110": { n: 18, bottleneck: false, params: 1_730_522, macs: 253_149_824 },
  "preact-resnet164": { n: 18, bottleneck: true, params: 1_703_258, macs: 247_646_720 },
} as const;

/** x + F(relu(bn(x))); where the shape changes, relu(bn(x)) is projected and takes the place of x. */
function block(
  x: tfl.SymbolicTensor,
  path: string,
  { width, stride, bottleneck }: { width: number; stride: number; bottleneck: boolean },
): tfl.SymbolicTensor {
  const channels = bottleneck ? 4 * width : width;
  const conv1x1 = { kernelSize: 1, useBias: false };
  const conv3x3 = { filters: width, kernelSize: 3, padding: 1, useBias: false };
  const active = chain(x, new BatchNorm({ name: `${path}.bn1`, activation: "relu" })); // [batch, height, width, inChannels]
  const residual = bottleneck
    ? chain(
        active,
        new Conv2D({ name: `${path}.conv1`, filters: width, ...conv1x1 }),
        new BatchNorm({ name: `${path}.bn2`, activation: "relu" }),
        new Conv2D({ name: `${path}.conv2`, strides: stride, ...conv3x3 }),
        new BatchNorm({ name: `${path}.bn3`, activation: "relu" }),
        new Conv2D({ name: `${path}.conv3`, filters: channels, ...conv1x1 }),
      )
    : chain(
        active,
        new Conv2D({ name: `${path}.conv1`, strides: stride, ...conv3x3 }),
        new BatchNorm({ name: `${path}.bn2`, activation: "relu" }),
        new Conv2D({ name: `${path}.conv2`, ...conv3x3 }),
      ); // [batch, height / stride, width / stride, channels]
  const carried =
    stride === 1 && x.shape[3] === channels
      ? x
      : chain(active, new Conv2D({ name: `${path}.downsample`, filters: channels, strides: stride, ...conv1x1 }));
  return new Add({ name: `${path}.add` }).apply([residual, carried]) as tfl.SymbolicTensor;
}

/**
 * @returns [batch, 32, 32, 3] -> logits [batch, classes]
 */
export function preactResnetCifar(options: PreactResNetCifarOptions = {}): tfl.LayersModel {
  const { n = 3, bottleneck = false, widths = [16, 32, 64], classes = 10, seed = 0 } = options;
  const { inputShape = [32, 32, 3], name = `preact-resnet${(bottleneck ? 9 : 6) * n + 2}` } = options;

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let x = chain(images, new Conv2D({ name: "conv1", filters: widths[0], kernelSize: 3, padding: 1, useBias: false }));
  widths.forEach((width, stage) => {
    for (let i = 0; i < n; i++) {
      x = block(x, `layer${stage + 1}.${i}`, { width, stride: stage > 0 && i === 0 ? 2 : 1, bottleneck });
    }
  }); // [batch, 8, 8, channels]
  const logits = chain(
    x,
    new BatchNorm({ name: "bn", activation: "relu" }),
    new GlobalAvgPool2D({ name: "avgpool" }),
    new Dense({ name: "fc", units: classes }),
  );
  return initialize(tfl.model({ inputs: images, outputs: logits, name }), seed, {
    conv: heNormal(),
    dense: lecunUniform,
  });
}

export const preactResnetsCifar = Object.entries(variants).map(([name, { n, bottleneck, params, macs }]) =>
  classifier({
    name,
    family: "resnet",
    summary: `ResNet-${name.replace(/\D+/, "")} for CIFAR with pre-activation${bottleneck ? ", bottlenecks" : ""}`,
    inputShape: [32, 32, 3],
    classes: 10,
    params,
    macs,
    build: (options) => preactResnetCifar({ ...options, n, bottleneck, name }),
  }),
);
