/**
 * Residual networks for ImageNet (He, Zhang, Ren & Sun 2016, "Deep residual learning for image recognition", table 1),
 * and the form of the same blocks that is usual for CIFAR: a first convolution of 3×3 that keeps the image's size, and
 * no pooling after it. A bottleneck halves the image in its 3×3 convolution, as torchvision's does, not in the 1×1
 * before it. Layer names are torchvision's (`layer1.0.conv1` … `fc`).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { heNormal, initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { Add, BatchNorm, Conv2D, Dense, GlobalAvgPool2D, MaxPool2D } from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";

type BlockKind = "basic" | "bottleneck";

export interface ResNetOptions extends BuildOptions {
  block?: BlockKind;
  /** blocks of the four stages */
  depths?: readonly number[];
  /** channels of the first stage; each later one has twice as many */
  width?: number;
  /** How it begins: ImageNet's 7×7 convolution and pooling quarter the image, CIFAR's 3×3 keeps its size. */
  stem?: "imagenet" | "cifar";
}

/** Table 1: parameters and multiply-adds at 224×224 with 1000 classes, and of the CIFAR form with 10. */
const variants = {
  resnet18: {
    block: "basic",
    depths: [2, 2, 2, 2],
    params: 11_689_512,
    macs: 1_814_073_344,
    cifar: { params: 11_173_962, macs: 555_422_720 },
  },
  resnet34: {
    block: "basic",
    depths: [3, 4, 6, 3],
    params: 21_797_672,
    macs: 3_663_761_408,
    cifar: { params: 21_282_122, macs: 1_159_402_496 },
  },
  resnet50: {
    block: "bottleneck",
    depths: [3, 4, 6, 3],
    params: 25_557_032,
    macs: 4_089_184_256,
    cifar: { params: 23_520_842, macs: 1_297_829_888 },
  },
  resnet101: { block: "bottleneck", depths: [3, 4, 23, 3], params: 44_549_160, macs: 7_801_405_440 },
  resnet152: { block: "bottleneck", depths: [3, 8, 36, 3], params: 60_192_808, macs: 11_513_626_624 },
} as const satisfies { [name: string]: Variant };

interface Variant {
  block: BlockKind;
  depths: readonly number[];
  params: number;
  macs: number;
  cifar?: { params: number; macs: number };
}

/** Channels of a block's output, in multiples of its width. */
const expansion = { basic: 1, bottleneck: 4 };

/** F: two 3×3 convolutions (fig. 5, left). */
function basicResidual(x: tfl.SymbolicTensor, path: string, width: number, stride: number): tfl.SymbolicTensor {
  const conv3x3 = { filters: width, kernelSize: 3, padding: 1, useBias: false };
  return chain(
    x, // [batch, height, width, inChannels]
    new Conv2D({ name: `${path}.conv1`, strides: stride, ...conv3x3 }), // [batch, height / stride, width / stride, width]
    new BatchNorm({ name: `${path}.bn1`, activation: "relu" }),
    new Conv2D({ name: `${path}.conv2`, ...conv3x3 }),
    new BatchNorm({ name: `${path}.bn2` }),
  );
}

/** F: 1×1 to fewer channels, 3×3, 1×1 to four times as many (fig. 5, right). */
function bottleneckResidual(x: tfl.SymbolicTensor, path: string, width: number, stride: number): tfl.SymbolicTensor {
  return chain(
    x, // [batch, height, width, inChannels]
    new Conv2D({ name: `${path}.conv1`, filters: width, kernelSize: 1, useBias: false }),
    new BatchNorm({ name: `${path}.bn1`, activation: "relu" }),
    new Conv2D({ name: `${path}.conv2`, filters: width, kernelSize: 3, strides: stride, padding: 1, useBias: false }),
    new BatchNorm({ name: `${path}.bn2`, activation: "relu" }), // [batch, height / stride, width / stride, width]
    new Conv2D({ name: `${path}.conv3`, filters: 4 * width, kernelSize: 1, useBias: false }),
    new BatchNorm({ name: `${path}.bn3` }), // [batch, height / stride, width / stride, 4 width]
  );
}

/** y = relu(F(x) + x), x projected where the shape changes (eq. 1 and 2; option B). */
function residualBlock(x: tfl.SymbolicTensor, path: string, kind: BlockKind, width: number, stride: number) {
  const residual = (kind === "basic" ? basicResidual : bottleneckResidual)(x, path, width, stride);
  const channels = expansion[kind] * width;
  const carried =
    stride === 1 && x.shape[3] === channels
      ? x
      : chain(
          x,
          new Conv2D({
            name: `${path}.downsample.0`,
            filters: channels,
            kernelSize: 1,
            strides: stride,
            useBias: false,
          }),
          new BatchNorm({ name: `${path}.downsample.1` }),
        );
  return new Add({ name: `${path}.add`, activation: "relu" }).apply([residual, carried]) as tfl.SymbolicTensor;
}

/**
 * @returns [batch, 224, 224, 3], or [batch, 32, 32, 3] with the CIFAR stem -> logits [batch, classes]
 */
export function resnet(options: ResNetOptions = {}): tfl.LayersModel {
  const { block = "basic", depths = [2, 2, 2, 2], width = 64, stem = "imagenet", seed = 0, name = "resnet" } = options;
  const cifar = stem === "cifar";
  const { classes = cifar ? 10 : 1000, inputShape = cifar ? [32, 32, 3] : [224, 224, 3] } = options;

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  const first = cifar ? { kernelSize: 3, padding: 1 } : { kernelSize: 7, strides: 2, padding: 3 };
  let x = chain(
    images, // [batch, 224, 224, 3]
    new Conv2D({ name: "conv1", filters: width, useBias: false, ...first }), // [batch, 112, 112, width]
    new BatchNorm({ name: "bn1", activation: "relu" }),
  );
  if (!cifar) x = chain(x, new MaxPool2D({ name: "maxpool", poolSize: 3, strides: 2, padding: 1 })); // [batch, 56, 56, width]
  depths.forEach((depth, stage) => {
    for (let i = 0; i < depth; i++) {
      x = residualBlock(x, `layer${stage + 1}.${i}`, block, width * 2 ** stage, stage > 0 && i === 0 ? 2 : 1);
    }
  }); // [batch, 7, 7, 8 · expansion · width]
  const logits = chain(x, new GlobalAvgPool2D({ name: "avgpool" }), new Dense({ name: "fc", units: classes }));
  return initialize(tfl.model({ inputs: images, outputs: logits, name }), seed, {
    conv: heNormal("fanOut"),
    dense: lecunUniform,
  });
}

const narrow: ResNetOptions = { depths: [1, 2, 1, 1], width: 4, inputShape: [33, 33, 3], classes: 7 };

export const resnets = Object.entries(variants as { [name: string]: Variant }).flatMap(
  ([name, { block, depths, params, macs, cifar }]) => {
    const title = name.replace("resnet", "ResNet-");
    const imagenet = classifier({
      name,
      family: "resnet",
      summary: `${title} with ${block === "basic" ? "basic" : "bottleneck"} blocks`,
      inputShape: [224, 224, 3],
      classes: 1000,
      params,
      macs,
      build: (options) => resnet({ ...options, block, depths, name }),
      narrow: (options) => resnet({ ...narrow, block, ...options }),
    });
    if (cifar === undefined) return [imagenet];
    const cifarName = `${name}-cifar`;
    return [
      imagenet,
      classifier({
        name: cifarName,
        family: "resnet",
        summary: `${title}'s blocks for CIFAR`,
        inputShape: [32, 32, 3],
        classes: 10,
        ...cifar,
        build: (options) => resnet({ ...options, block, depths, stem: "cifar", name: cifarName }),
        narrow: (options) => resnet({ ...narrow, block, stem: "cifar", ...options }),
      }),
    ];
  },
);
