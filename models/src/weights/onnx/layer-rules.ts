/**
 * What each layer is in ONNX: a function a class. A new layer needs a line here and nothing else.
 *
 * Values of four axes are [batch, channels, height, width] in the graph, as ONNX's image operators want them, where
 * ours are [batch, height, width, channels]; all others have their axes as they are.
 */
import { InputError } from "../../errors.ts";
import type { GraphBuilder } from "./graph-builder.ts";

/** A layer as a rule sees it. */
export interface Subject {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** names of its inputs in the graph, and their shapes in TensorFlow.js; null is the batch */
  readonly inputs: readonly string[];
  readonly inputShapes: readonly (readonly (number | null)[])[];
  readonly graph: GraphBuilder;
  /** Adds a weight, in PyTorch's layout. @returns its name in the graph; undefined where the layer has none such */
  weight(short: string): string | undefined;
}

/** Adds a layer to the graph. @returns its output, or why there can be none, as an Error */
export type LayerRule = (subject: Subject) => string | Error;

type Pair = readonly [number, number];

/** Rules by the layer's class name. */
export const layerRules: Readonly<Record<string, LayerRule>> = {
  ZooConv2D(subject) {
    const { config, inputs } = subject;
    const { strides, dilation, groups, activation } = config as { [key: string]: Pair } & { groups: number };
    const y = subject.graph.node("Conv", subject.name, [inputs[0], ...weights(subject, "weight", "bias")], {
      kernel_shape: config.kernelSize as Pair,
      strides,
      pads: bothSides(config.padding as Pair),
      dilations: dilation,
      group: groups,
    });
    return activated(subject, y, activation);
  },

  ZooConvTranspose2D(subject) {
    const { config, inputs } = subject;
    return subject.graph.node("ConvTranspose", subject.name, [inputs[0], ...weights(subject, "weight", "bias")], {
      kernel_shape: config.kernelSize as Pair,
      strides: config.strides as Pair,
      pads: bothSides(config.padding as Pair),
      output_padding: config.outputPadding as Pair,
    });
  },

  ZooUpsample2D({ graph, name, inputs: [x], config }) {
    const [factor, bilinear] = [config.factor as Pair, config.mode === "bilinear"];
    const scales = graph.constant(`${name}.scales`, [4], Float32Array.of(1, 1, ...factor));
    return graph.node("Resize", name, [x, "", scales], {
      mode: bilinear ? "linear" : "nearest",
      coordinate_transformation_mode: bilinear ? "half_pixel" : "asymmetric",
      nearest_mode: "floor",
    });
  },

  ZooDepthwiseConv2D(subject) {
    const { config, inputs, inputShapes } = subject;
    return subject.graph.node("Conv", subject.name, [inputs[0], ...weights(subject, "weight", "bias")], {
      kernel_shape: config.kernelSize as Pair,
      strides: config.strides as Pair,
      pads: bothSides(config.padding as Pair),
      dilations: config.dilation as Pair,
      group: inputShapes[0][3] as number,
    });
  },

  ZooDense(subject) {
    const { name, graph, inputs, inputShapes } = subject;
    if (inputShapes[0].length === 2) {
      return graph.node("Gemm", name, [inputs[0], ...weights(subject, "weight", "bias")], { transB: 1 });
    }
    const [weight, ...bias] = weights(subject, "weight", "bias");
    const transposed = graph.node("Transpose", `${name}.transpose`, [weight], { perm: [1, 0] }); // [in, units]
    const x = channelsLast(subject);
    const product = graph.node("MatMul", bias.length > 0 ? `${name}.matmul` : name, [x, transposed]);
    const y = bias.length > 0 ? graph.node("Add", name, [product, ...bias]) : product;
    return channelsFirst(subject, y);
  },

  ZooBatchNorm(subject) {
    const { config, inputs, graph, name, inputShapes } = subject;
    if (inputShapes[0].length === 3) return new Error("its input has neither two nor four axes");
    const y = graph.node("BatchNormalization", name, [inputs[0], ...weights(subject, ...normWeights)], {
      epsilon: { float: config.epsilon as number },
    });
    return activated(subject, y, config.activation);
  },

  ZooLayerNorm(subject) {
    const x = channelsLast(subject);
    const y = subject.graph.node("LayerNormalization", subject.name, [x, ...weights(subject, "weight", "bias")], {
      axis: -1,
      epsilon: { float: subject.config.epsilon as number },
    });
    return channelsFirst(subject, y);
  },

  // ONNX has had GroupNormalization itself since operator set 21 only: the groups are the channels of an instance norm.
  ZooGroupNorm(subject) {
    const { config, inputs, graph, name, inputShapes } = subject;
    if (inputShapes[0].length !== 4) return new Error("its input is no image");
    const groups = config.groups as number;
    const [, height, width, channels] = inputShapes[0] as number[];
    const parts = graph.node("Reshape", `${name}.groups`, [
      inputs[0],
      graph.integers(`${name}.grouped`, [0, groups, -1]), // 0: the batch as it is
    ]);
    const one = graph.constant(`${name}.ones`, [groups], new Float32Array(groups).fill(1));
    const zero = graph.constant(`${name}.zeros`, [groups], new Float32Array(groups));
    const epsilon = { float: config.epsilon as number };
    const normed = graph.node("InstanceNormalization", `${name}.norm`, [parts, one, zero], { epsilon });
    const image = graph.integers(`${name}.image`, [0, channels, height, width]);
    const each = graph.integers(`${name}.each`, [channels, 1, 1]);
    const [gamma, beta] = weights(subject, "weight", "bias").map((weight, i) =>
      graph.node("Reshape", `${name}.${["scale", "shift"][i]}`, [weight, each]),
    );
    const scaled = graph.node("Mul", `${name}.scaled`, [
      graph.node("Reshape", `${name}.ungrouped`, [normed, image]),
      gamma,
    ]);
    return graph.node("Add", name, [scaled, beta]);
  },

  ZooInstanceNorm(subject) {
    const { config, inputs, graph, name, inputShapes } = subject;
    if (inputShapes[0].length !== 4) return new Error("its input is no image");
    const channels = inputShapes[0][3] as number;
    const parameters = config.affine
      ? weights(subject, "weight", "bias")
      : [1, 0].map((value) => graph.constant(`${name}.${value}`, [channels], new Float32Array(channels).fill(value)));
    const epsilon = { float: config.epsilon as number };
    return graph.node("InstanceNormalization", name, [inputs[0], ...parameters], { epsilon });
  },

  ZooConcatNormConv2D(subject) {
    const { config, inputs, graph, name } = subject;
    const joined = inputs.length > 1 ? graph.node("Concat", `${name}.concat`, inputs, { axis: 1 }) : inputs[0];
    const norm = normWeights.map((short) => `norm1.${short}`);
    const normed = graph.node("BatchNormalization", `${name}.norm1`, [joined, ...weights(subject, ...norm)], {
      epsilon: { float: 1e-5 },
    });
    const positive = graph.node("Relu", `${name}.relu1`, [normed]);
    const { kernelSize, padding } = config as { kernelSize: number; padding: number };
    return graph.node("Conv", `${name}.conv1`, [positive, ...weights(subject, "conv1.weight")], {
      kernel_shape: [kernelSize, kernelSize],
      pads: bothSides([padding, padding]),
    });
  },

  ZooMaxPool2D: (subject) => pool(subject, "MaxPool", {}),

  ZooAvgPool2D: (subject) =>
    pool(subject, "AveragePool", { count_include_pad: subject.config.countIncludePad === false ? 0 : 1 }),

  ZooGlobalAvgPool2D({ graph, name, inputs }) {
    const pooled = graph.node("GlobalAveragePool", `${name}.pool`, inputs); // [batch, channels, 1, 1]
    return graph.node("Flatten", name, [pooled]);
  },

  // PyTorch's order [channels, height, width] is that of the graph already.
  ZooFlatten: ({ graph, name, inputs }) => graph.node("Flatten", name, inputs),

  ZooAdd: (subject) =>
    activated(subject, subject.graph.node("Add", subject.name, subject.inputs), subject.config.activation),

  ZooConcat: ({ graph, name, inputs, inputShapes }) =>
    graph.node("Concat", name, inputs, { axis: inputShapes[0].length === 4 ? 1 : -1 }),

  ZooReLU: ({ graph, name, inputs }) => graph.node("Relu", name, inputs),

  ZooLeakyReLU: ({ graph, name, inputs, config }) =>
    graph.node("LeakyRelu", name, inputs, { alpha: { float: config.slope as number } }),

  ZooElu: ({ graph, name, inputs, config }) =>
    graph.node("Elu", name, inputs, { alpha: { float: config.alpha as number } }),

  ZooSilu: ({ graph, name, inputs: [x] }) =>
    graph.node("Mul", name, [x, graph.node("Sigmoid", `${name}.sigmoid`, [x])]),

  ZooSigmoid: ({ graph, name, inputs }) => graph.node("Sigmoid", name, inputs),

  ZooTanh: ({ graph, name, inputs }) => graph.node("Tanh", name, inputs),

  // x (1 + erf(x / √2)) / 2: ONNX has had Gelu itself since operator set 20 only.
  ZooGelu({ graph, name, inputs: [x], config }) {
    if (config.approximation === "tanh") throw new InputError(`${name}: ONNX gets GELU by erf only, not by tanh`);
    const scaled = graph.node("Mul", `${name}.scaled`, [x, graph.scalar("sqrt1_2", Math.SQRT1_2)]);
    const erf = graph.node("Erf", `${name}.erf`, [scaled]);
    const twice = graph.node("Add", `${name}.add`, [erf, graph.scalar("one", 1)]);
    const cumulative = graph.node("Mul", `${name}.cumulative`, [twice, graph.scalar("half", 0.5)]);
    return graph.node("Mul", name, [x, cumulative]);
  },

  ZooSpectralConv2D: () => new Error("its weight is divided by its norm, as in discriminators only"),

  ZooSpectralDense: () => new Error("its weight is divided by its norm, as in discriminators only"),

  ZooScale: ({ graph, name, inputs, config }) =>
    graph.node("Mul", name, [...inputs, graph.scalar(`${name}.factor`, config.factor as number)]),

  // ONNX's α is divided by the number of channels, as PyTorch's is.
  ZooLocalResponseNorm({ graph, name, inputs, config }) {
    const { size, alpha, beta, k } = config as { [key: string]: number };
    return graph.node("LRN", name, inputs, {
      size,
      alpha: { float: alpha * size },
      beta: { float: beta },
      bias: { float: k },
    });
  },

  ZooShortcutA({ graph, name, inputs, inputShapes, config }) {
    const { stride, channels } = config as { stride: number; channels: number };
    const inChannels = inputShapes[0][3] as number;
    const before = Math.floor((channels - inChannels) / 2);
    const sampled = graph.node("Slice", `${name}.slice`, [
      inputs[0],
      graph.integers(`${name}.starts`, [0, 0]),
      graph.integers(`${name}.ends`, [toTheEnd, toTheEnd]),
      graph.integers(`${name}.axes`, [2, 3]),
      graph.integers(`${name}.steps`, [stride, stride]),
    ]);
    const pads = [0, before, 0, 0, 0, channels - inChannels - before, 0, 0]; // before each axis, then after each
    return graph.node("Pad", name, [sampled, graph.integers(`${name}.pads`, pads)]);
  },

  ZooPatchEmbedding(subject) {
    const { graph, name, inputs, inputShapes, config } = subject;
    const { patchSize: p, units } = config as { patchSize: number; units: number };
    const [, height, width] = inputShapes[0] as [null, number, number];
    const map = graph.node("Conv", `${name}.conv`, [inputs[0], ...weights(subject, "weight", "bias")], {
      kernel_shape: [p, p],
      strides: [p, p],
    }); // [batch, units, height / p, width / p]
    const shape = graph.integers(`${name}.shape`, [0, units, (height * width) / p ** 2]); // 0: the batch as it is
    const columns = graph.node("Reshape", `${name}.reshape`, [map, shape]);
    return graph.node("Transpose", name, [columns], { perm: [0, 2, 1] }); // [batch, patches, units]
  },

  ZooClassToken(subject) {
    const { graph, name, inputs } = subject;
    const batch = graph.node("Shape", `${name}.batch`, inputs, { end: 1 }); // [1]
    const one = graph.integers("one_one", [1, 1]);
    const times = graph.node("Concat", `${name}.times`, [batch, one], { axis: 0 }); // [3]
    const tokens = graph.node("Expand", `${name}.expand`, [...weights(subject, "value"), times]);
    return graph.node("Concat", `${name}.concat`, [tokens, inputs[0]], { axis: 1 });
  },

  ZooPositionEmbedding: (subject) =>
    subject.graph.node("Add", `${subject.name}.add`, [subject.inputs[0], ...weights(subject, "value")]),

  ZooLayerScale(subject) {
    const x = channelsLast(subject);
    const y = subject.graph.node("Mul", `${subject.name}.mul`, [x, ...weights(subject, "value")]);
    return channelsFirst(subject, y);
  },

  // softmax(Q Kᵀ / √dₕ) V, for each head
  ZooSelfAttention({ graph, name, inputs, inputShapes, config }) {
    if (config.causal || config.rotary || inputs.length > 1) {
      return new Error("its attention is causal, rotary or of padded rows");
    }
    const heads = config.heads as number;
    const channels = (inputShapes[0][2] as number) / 3;
    const shape = graph.integers(`${name}.shape`, [0, 0, 3 * heads, channels / heads]); // 0: as it is
    const parts = graph.node("Reshape", `${name}.parts`, [inputs[0], shape]);
    const [Q, K, V] = ["q", "k", "v"].map((part, i) => {
      const ends = [i * heads, (i + 1) * heads, 2].map((value, k) =>
        graph.integers(`${name}.${part}${["from", "to", "axis"][k]}`, [value]),
      );
      const cut = graph.node("Slice", `${name}.${part}.slice`, [parts, ...ends]); // [batch, tokens, heads, dₕ]
      const perm = part === "k" ? [0, 2, 3, 1] : [0, 2, 1, 3];
      return graph.node("Transpose", `${name}.${part}`, [cut], { perm });
    });
    const scale = graph.scalar(`${name}.scale`, Math.sqrt(heads / channels));
    const scores = graph.node("MatMul", `${name}.products`, [Q, K]); // [batch, heads, tokens, tokens]
    const scaled = graph.node("Mul", `${name}.scores`, [scores, scale]);
    const weighted = graph.node("MatMul", `${name}.values`, [graph.node("Softmax", `${name}.p`, [scaled]), V]);
    const together = graph.node("Transpose", `${name}.together`, [weighted], { perm: [0, 2, 1, 3] });
    return graph.node("Reshape", name, [together, graph.integers(`${name}.joined`, [0, 0, channels])]);
  },

  ZooTokenPool({ graph, name, inputs, config }) {
    if (config.pool === "mean") return graph.node("ReduceMean", name, inputs, { axes: [1], keepdims: 0 });
    const ends = ["starts", "ends", "axes"].map((part, i) => graph.integers(`${name}.${part}`, [[0, 1, 1][i]]));
    const first = graph.node("Slice", `${name}.first`, [inputs[0], ...ends]); // [batch, 1, d]
    return graph.node("Squeeze", name, [first, graph.integers(`${name}.squeezed`, [1])]);
  },

  Permute({ graph, name, inputs, config }) {
    const dims = config.dims as number[];
    if (dims.length !== 2) return new Error("its input is an image");
    return graph.node("Transpose", name, inputs, { perm: [0, ...dims] });
  },

  // In inference these pass on what they get.
  ZooDropout: passOn,
  ZooSpatialDropout: passOn,
  ZooStochasticDepth: passOn,
  Dropout: passOn,

  Activation(subject) {
    const { graph, name, inputs, inputShapes, config } = subject;
    const activation = String(config.activation);
    if (activation === "linear") return inputs[0];
    if (activation === "softmax") {
      return graph.node("Softmax", name, inputs, { axis: inputShapes[0].length === 4 ? 1 : -1 });
    }
    const op = { relu: "Relu", sigmoid: "Sigmoid", tanh: "Tanh", elu: "Elu", softplus: "Softplus" }[activation];
    return op === undefined ? new Error(`its activation is ${activation}`) : graph.node(op, name, inputs);
  },
};

/** Slice stops at the end of an axis. */
const toTheEnd = 2 ** 31 - 1;

const normWeights = ["weight", "bias", "running_mean", "running_var"];

/** Those of the weights that the layer has. */
function weights({ weight }: Subject, ...shorts: readonly string[]): string[] {
  return shorts.map(weight).filter((name) => name !== undefined);
}

function passOn({ inputs }: Subject): string {
  return inputs[0];
}

function pool({ graph, name, inputs, config }: Subject, op: string, more: Record<string, number>): string {
  return graph.node(op, name, inputs, {
    kernel_shape: config.poolSize as Pair,
    strides: config.strides as Pair,
    pads: bothSides(config.padding as Pair),
    ...more,
  });
}

/** What a layer of ours applies in the same pass. */
function activated({ graph, name }: Subject, y: string, activation: unknown): string {
  return activation === "relu" ? graph.node("Relu", `${name}.relu`, [y]) : y;
}

/** [before height, before width, after height, after width] */
const bothSides = ([height, width]: Pair): readonly number[] => [height, width, height, width];

/** A layer's input with the channels as its last axis, as layers that work along it need. */
function channelsLast({ graph, name, inputs, inputShapes }: Subject): string {
  if (inputShapes[0].length !== 4) return inputs[0];
  return graph.node("Transpose", `${name}.channels_last`, [inputs[0]], { perm: [0, 2, 3, 1] });
}

/** The way back. */
function channelsFirst({ graph, name, inputShapes }: Subject, y: string): string {
  if (inputShapes[0].length !== 4) return y;
  return graph.node("Transpose", `${name}.channels_first`, [y], { perm: [0, 3, 1, 2] });
}
