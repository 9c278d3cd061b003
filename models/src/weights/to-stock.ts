/**
 * Rebuilds a model from TensorFlow.js's own layers, for inference: the result opens in a page that has none of our code.
 * Layers keep their names; a helper that a layer needs before it gets a suffix (`conv1.pad`).
 */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { rebuildGraph, sameLayer } from "../graph.ts";
import { shortName } from "./names.ts";

type Layer = tfl.layers.Layer;
type Pair = [number, number];

/** A model of stock layers, as far as there are any. */
export interface StockModel {
  readonly model: tfl.LayersModel;
  /** What a page must import before it can open the model; null when nothing. */
  readonly needsImport: string | null;
  /** For each layer that had to stay ours: its name and why. */
  readonly reasons: string[];
}

/** Stock layers that stand for one of ours, applied one after the other, and their weights in the order of `setWeights`. */
interface Replacement {
  readonly chain: readonly Layer[];
  readonly weights?: readonly (readonly [Layer, () => tf.Tensor[]])[];
}

/** What a rule finds: a replacement, or the reason why there is none, or null for a layer that is stock already. */
type Outcome = Replacement | string | null;

/** A layer of ours as a rule sees it: its configuration, and the shapes and signs of all inputs it has in the model. */
interface Subject {
  readonly name: string;
  readonly className: string;
  readonly config: Record<string, unknown>;
  readonly inputShapes: readonly (readonly (number | null)[])[];
  readonly inputsNonNegative: boolean;
  weight(short: string): tf.Tensor[];
}

const ourPackage = "@tfjs-zoo/models";

/**
 * Builds the stock equivalent of a model, with a copy of its weights. A layer that has none stays as it is, and
 * `needsImport` then names the package that a page has to import.
 *
 * @param model any graph of this package's layers (named Zoo…) and stock ones
 */
export function toStockModel(model: tfl.LayersModel): StockModel {
  const reasons: string[] = [];
  const replacements = new Map<Layer, Replacement>();
  const replacementOf = (layer: Layer): Replacement => {
    let replacement = replacements.get(layer);
    if (!replacement) {
      const subject = subjectOf(layer);
      const rule = Object.hasOwn(rules, subject.className) ? rules[subject.className] : keep;
      const outcome = rule(subject);
      if (typeof outcome === "string") reasons.push(`${layer.name}: ${outcome}`);
      replacement = typeof outcome === "string" || outcome === null ? copyOf(layer) : outcome;
      replacements.set(layer, replacement);
    }
    return replacement;
  };

  const stock = rebuildGraph(model, (layer) => replacementOf(layer).chain);
  tf.tidy(() => {
    for (const { weights = [] } of replacements.values()) {
      for (const [layer, values] of weights) layer.setWeights(values());
    }
  });
  return { model: stock, needsImport: reasons.length > 0 ? ourPackage : null, reasons };
}

const rules: Record<string, (subject: Subject) => Outcome> = {
  ZooConv2D({ name, config, inputShapes, weight }) {
    const [strides, dilation, kernelSize] = [pair(config.strides), pair(config.dilation), pair(config.kernelSize)];
    if (config.groups !== undefined && config.groups !== 1) return "no stock layer convolves in groups";
    if (anyAbove1(strides) && anyAbove1(dilation)) return "no stock layer has both strides and dilation";
    const extent = kernelSize.map((k, i) => (k - 1) * dilation[i] + 1) as Pair;
    const { before, padding } = pad(name, pair(config.padding, 0), inputShapes, extent, strides);
    const convolution = tfl.layers.conv2d({
      name,
      filters: config.filters as number,
      kernelSize,
      strides,
      padding,
      dilationRate: dilation,
      useBias: config.useBias as boolean,
      activation: config.activation === "relu" ? "relu" : undefined,
      kernelInitializer: "zeros",
    });
    return {
      chain: [...before, convolution],
      weights: [[convolution, () => [...weight("weight"), ...weight("bias")]]],
    };
  },

  ZooConvTranspose2D({ name, config, weight }) {
    const [strides, kernelSize] = [pair(config.strides), pair(config.kernelSize)];
    const [padding, added] = [pair(config.padding, 0), pair(config.outputPadding, 0)];
    const convolution = tfl.layers.conv2dTranspose({
      name,
      filters: config.filters as number,
      kernelSize,
      strides,
      padding: "valid",
      useBias: config.useBias as boolean,
      kernelInitializer: "zeros",
    });
    // The stock layer pads nothing, and its results are as long as the strides at least.
    const [rows, columns] = [0, 1].map((i): Pair => {
      return [padding[i], Math.max(strides[i] - kernelSize[i], 0) + padding[i] - added[i]];
    });
    if (rows[1] < 0 || columns[1] < 0) return "no stock layer transposes a convolution with that output padding";
    const cropped = [...rows, ...columns].some((n) => n > 0);
    return {
      chain: [
        convolution,
        ...(cropped ? [tfl.layers.cropping2D({ name: `${name}.crop`, cropping: [rows, columns] })] : []),
      ],
      weights: [[convolution, () => [...weight("weight"), ...weight("bias")]]],
    };
  },

  ZooUpsample2D({ name, config }) {
    if (config.mode === "bilinear") return "the stock layer measures from the corners of pixels";
    return { chain: [tfl.layers.upSampling2d({ name, size: pair(config.factor), interpolation: "nearest" })] };
  },

  ZooDepthwiseConv2D({ name, config, inputShapes, weight }) {
    const [strides, kernelSize] = [pair(config.strides), pair(config.kernelSize)];
    if (anyAbove1(pair(config.dilation))) return "the stock depthwise layer ignores dilation";
    const { before, padding } = pad(name, pair(config.padding, 0), inputShapes, kernelSize, strides);
    const convolution = tfl.layers.depthwiseConv2d({
      name,
      kernelSize,
      strides,
      padding,
      depthMultiplier: config.depthMultiplier as number,
      useBias: config.useBias as boolean,
      depthwiseInitializer: "zeros",
    });
    return {
      chain: [...before, convolution],
      weights: [[convolution, () => [...weight("weight"), ...weight("bias")]]],
    };
  },

  ZooDense({ name, config, weight }) {
    const { units, useBias } = config as { units: number; useBias: boolean };
    const dense = tfl.layers.dense({ name, units, useBias, kernelInitializer: "zeros" });
    return { chain: [dense], weights: [[dense, () => [...weight("weight"), ...weight("bias")]]] };
  },

  ZooBatchNorm({ name, config, weight }) {
    const { momentum, epsilon, activation } = config as { momentum: number; epsilon: number; activation?: string };
    // PyTorch's momentum is the share of the new value, TensorFlow's that of the old.
    const norm = tfl.layers.batchNormalization({ name, momentum: 1 - momentum, epsilon });
    return {
      chain: [norm, ...activated(name, activation)],
      weights: [[norm, () => ["weight", "bias", "running_mean", "running_var"].flatMap(weight)]],
    };
  },

  ZooConcatNormConv2D({ name, config, inputShapes, weight }) {
    const kernelSize = pair(config.kernelSize);
    const { before, padding } = pad(`${name}.conv1`, pair(config.padding, 0), inputShapes, kernelSize, [1, 1]);
    const norm = tfl.layers.batchNormalization({ name: `${name}.norm1`, momentum: 0.9, epsilon: 1e-5 });
    const convolution = tfl.layers.conv2d({
      name: `${name}.conv1`,
      filters: config.filters as number,
      kernelSize,
      padding,
      useBias: false,
      kernelInitializer: "zeros",
    });
    const joined = inputShapes.length > 1 ? [tfl.layers.concatenate({ name: `${name}.concat` })] : [];
    return {
      chain: [...joined, norm, tfl.layers.reLU({ name: `${name}.relu` }), ...before, convolution],
      weights: [
        [norm, () => ["weight", "bias", "running_mean", "running_var"].flatMap((short) => weight(`norm1.${short}`))],
        [convolution, () => weight("conv1.weight")],
      ],
    };
  },

  ZooLayerNorm({ name, config, weight }) {
    const norm = tfl.layers.layerNormalization({ name, epsilon: config.epsilon as number });
    return { chain: [norm], weights: [[norm, () => [...weight("weight"), ...weight("bias")]]] };
  },

  ZooGelu: ({ name, config }) => ({
    chain: [tfl.layers.activation({ name, activation: config.approximation === "tanh" ? "gelu_new" : "gelu" })],
  }),

  ZooLayerScale({ name, inputShapes, weight }) {
    if (inputShapes[0].length !== 4) return "no stock layer scales the channels of tokens";
    const scale = tfl.layers.depthwiseConv2d({ name, kernelSize: 1, useBias: false, depthwiseInitializer: "zeros" });
    const gamma = () => weight("value").map((value) => tf.reshape(value, [1, 1, value.size, 1]));
    return { chain: [scale], weights: [[scale, gamma]] };
  },

  ZooPatchEmbedding({ name, config, inputShapes, weight }) {
    const { patchSize, units } = config as { patchSize: number; units: number };
    const [, height, width] = inputShapes[0] as [null, number, number];
    const options = { filters: units, kernelSize: patchSize, strides: patchSize, kernelInitializer: "zeros" as const };
    const convolution = tfl.layers.conv2d({ name, ...options });
    const targetShape = [(height * width) / patchSize ** 2, units];
    return {
      chain: [convolution, tfl.layers.reshape({ name: `${name}.tokens`, targetShape })],
      weights: [[convolution, () => [...weight("weight"), ...weight("bias")]]],
    };
  },

  ZooTokenPool({ name, config, inputShapes }) {
    if (config.pool === "mean") return { chain: [tfl.layers.globalAveragePooling1d({ name })] };
    const [, tokens, d] = inputShapes[0] as [null, number, number];
    const cropping: [[number, number], [number, number]] = [
      [0, tokens - 1],
      [0, 0],
    ];
    return {
      chain: [
        tfl.layers.reshape({ name: `${name}.tokens`, targetShape: [tokens, 1, d] }),
        tfl.layers.cropping2D({ name, cropping }),
        tfl.layers.flatten({ name: `${name}.flatten` }),
      ],
    };
  },

  ZooScale: ({ name, config }) => ({ chain: [tfl.layers.rescaling({ name, scale: config.factor as number })] }),

  ZooReLU: ({ name }) => ({ chain: [tfl.layers.reLU({ name })] }),

  ZooLeakyReLU: ({ name, config }) => ({ chain: [tfl.layers.leakyReLU({ name, alpha: config.slope as number })] }),

  ZooElu: ({ name, config }) =>
    config.alpha === 1 ? { chain: [tfl.layers.elu({ name })] } : "the stock ELU goes down to −1 only",

  ZooSilu: ({ name }) => ({ chain: [tfl.layers.activation({ name, activation: "swish" })] }),

  ZooSigmoid: ({ name }) => ({ chain: [tfl.layers.activation({ name, activation: "sigmoid" })] }),

  ZooTanh: ({ name }) => ({ chain: [tfl.layers.activation({ name, activation: "tanh" })] }),

  ZooMaxPool2D({ name, config, inputShapes, inputsNonNegative }) {
    const [poolSize, strides] = [pair(config.poolSize), pair(config.strides ?? config.poolSize)];
    const { before, padding } = pad(name, pair(config.padding, 0), inputShapes, poolSize, strides);
    // Padding with zeros is padding with -inf only where nothing is below zero.
    if (before.length > 0 && !inputsNonNegative) return "no stock layer pads with -inf before this pooling";
    return { chain: [...before, tfl.layers.maxPooling2d({ name, poolSize, strides, padding })] };
  },

  ZooAvgPool2D({ name, config, inputShapes }) {
    const [poolSize, strides] = [pair(config.poolSize), pair(config.strides ?? config.poolSize)];
    if (config.countIncludePad === false) {
      const { before, padding } = pad(name, pair(config.padding, 0), inputShapes, poolSize, strides);
      if (before.length > 0) return "no stock layer leaves this padding out of an average";
      return { chain: [tfl.layers.averagePooling2d({ name, poolSize, strides, padding })] };
    }
    // Never 'same', which leaves the padding out of the count.
    const pooling = tfl.layers.averagePooling2d({ name, poolSize, strides, padding: "valid" });
    return { chain: [...zeroPadding(name, pair(config.padding, 0)), pooling] };
  },

  ZooGlobalAvgPool2D: ({ name }) => ({
    chain: [tfl.layers.globalAveragePooling2d({ name, dataFormat: "channelsLast" })],
  }),

  ZooAdd: ({ name, config }) => ({ chain: [tfl.layers.add({ name }), ...activated(name, config.activation)] }),

  ZooConcat: ({ name }) => ({ chain: [tfl.layers.concatenate({ name })] }),

  ZooFlatten({ name }) {
    // PyTorch flattens [channels, height, width].
    return { chain: [tfl.layers.permute({ name: `${name}.permute`, dims: [3, 1, 2] }), tfl.layers.flatten({ name })] };
  },

  ZooDropout: ({ name, config }) => ({ chain: [tfl.layers.dropout({ name, rate: config.rate as number })] }),

  ZooSpatialDropout: ({ name, config }) => ({ chain: [tfl.layers.dropout({ name, rate: config.rate as number })] }),

  // In inference, all that it is here, it passes on what it gets.
  ZooStochasticDepth: ({ name, config }) => ({ chain: [tfl.layers.dropout({ name, rate: config.rate as number })] }),

  ZooShortcutA({ name, config, inputShapes }) {
    const stride = pair(config.stride);
    const inChannels = inputShapes[0].at(-1) as number;
    const channels = config.channels as number;
    const convolution = tfl.layers.conv2d({
      name,
      filters: channels,
      kernelSize: 1,
      strides: stride,
      useBias: false,
      kernelInitializer: "zeros",
      trainable: false,
    });
    return { chain: [convolution], weights: [[convolution, () => [paddingKernel(inChannels, channels)]]] };
  },
};

/** Classes without a rule are copied; all of ours begin with Zoo. */
function keep({ className }: Subject): Outcome {
  return className.startsWith("Zoo") ? `no stock layer does what a ${className} does` : null;
}

/** [1, 1, in, out]: copies channel c to channel c + (out − in) / 2, rounded down, and leaves the others zero. */
function paddingKernel(inChannels: number, outChannels: number): tf.Tensor {
  const before = Math.floor((outChannels - inChannels) / 2);
  const kernel = new Float32Array(inChannels * outChannels);
  for (let c = 0; c < inChannels; c++) kernel[c * outChannels + c + before] = 1;
  return tf.tensor(kernel, [1, 1, inChannels, outChannels]);
}

function subjectOf(layer: Layer): Subject {
  const inputs = layer.inboundNodes.flatMap((node) => node.inputTensors);
  return {
    name: layer.name,
    className: layer.getClassName(),
    config: layer.getConfig(),
    inputShapes: inputs.map(({ shape }) => shape),
    inputsNonNegative: inputs.every(isNonNegative),
    weight: (short) => layer.weights.filter((variable) => shortName(variable) === short).map((v) => v.read()),
  };
}

function copyOf(layer: Layer): Replacement {
  const copy = sameLayer(layer);
  return { chain: [copy], weights: [[copy, () => layer.getWeights()]] };
}

/**
 * What makes a stock layer pad as PyTorch does, `padding` on both sides: 'valid' without padding, 'same' where it puts
 * as much on both sides for every input the layer has, else a layer of zeros before it.
 */
function pad(
  name: string,
  padding: Pair,
  inputShapes: Subject["inputShapes"],
  extent: Pair,
  strides: Pair,
): { before: Layer[]; padding: "same" | "valid" } {
  if (padding.every((p) => p === 0)) return { before: [], padding: "valid" };
  const isSame = inputShapes.every((shape) =>
    padding.every((p, i) => sameTotal(shape[i + 1], extent[i], strides[i]) === 2 * p),
  );
  return isSame ? { before: [], padding: "same" } : { before: zeroPadding(name, padding), padding: "valid" };
}

/** How much 'same' pads an axis in all, before and after; NaN where that depends on an unknown size. */
function sameTotal(size: number | null, extent: number, stride: number): number {
  if (stride === 1) return extent - 1;
  return size === null ? Number.NaN : Math.max((Math.ceil(size / stride) - 1) * stride + extent - size, 0);
}

function zeroPadding(name: string, [height, width]: Pair): Layer[] {
  if (height === 0 && width === 0) return [];
  return [
    tfl.layers.zeroPadding2d({
      name: `${name}.pad`,
      padding: [
        [height, height],
        [width, width],
      ],
    }),
  ];
}

/** Whether no value of a tensor can be below zero, as far as the layers that make it tell. */
function isNonNegative(tensor: tfl.SymbolicTensor): boolean {
  const layer = tensor.sourceLayer;
  const className = layer.getClassName();
  if (className === "ZooReLU" || className === "ReLU" || layer.getConfig().activation === "relu") return true;
  if (className === "Activation")
    return ["relu", "relu6", "sigmoid", "softmax"].includes(String(layer.getConfig().activation));
  if (!signKeeping.has(className)) return false;
  return layer.inboundNodes[tensor.nodeIndex].inputTensors.every(isNonNegative);
}

const signKeeping = new Set(
  ["MaxPool2D", "AvgPool2D", "GlobalAvgPool2D", "Add", "Flatten", "Dropout", "ShortcutA"].map((kind) => `Zoo${kind}`),
);

/** The layer for an activation that ours apply in the same pass. */
function activated(name: string, activation: unknown): Layer[] {
  return activation === "relu" ? [tfl.layers.reLU({ name: `${name}.relu` })] : [];
}

function pair(value: unknown, missing = 1): Pair {
  if (value === undefined || value === null) return [missing, missing];
  return Array.isArray(value) ? (value as Pair) : [value as number, value as number];
}

function anyAbove1(sizes: Pair): boolean {
  return sizes.some((n) => n > 1);
}
