import {
  clone,
  getKernel,
  mul,
  type NamedAttrMap,
  type Tensor,
  type TensorInfo,
  tensor1d,
  util,
} from "@tensorflow/tfjs-core";
import type { AdamUpdateAttrs } from "../../ops/adam-update.ts";
import type { DepthwiseConv2DAttrs } from "../../ops/depthwise-conv2d.ts";
import type { GeluAttrs } from "../../ops/gelu.ts";
import type { Pool2DAttrs } from "../../ops/max-pool2d.ts";
import type { SgdUpdateAttrs } from "../../ops/sgd-update.ts";
import type { SoftmaxCrossEntropyAttrs } from "../../ops/softmax-cross-entropy.ts";
import { pair, windowOutput } from "../../ops/window.ts";
import { registerAttention } from "./attention.ts";
import { type Inputs, opAttrs, registerTensorflow, type TensorflowBackend } from "./backend.ts";
import { all, executeTyped, numbersOf, single } from "./bf16.ts";
import { registerSplitAndConcat } from "./split-concat.ts";

interface BatchNormAttrs {
  epsilon?: number;
  momentum?: number;
  activation?: "relu";
}

/**
 * The ops of training/native, under the names by which our ops look for kernels. Images may be in bf16,
 * and then results are; parameters and statistics are in single precision.
 */
export function registerZooOps(): void {
  registerAttention();
  registerSplitAndConcat();

  registerTensorflow<BatchNormAttrs>("ZooBatchNormTraining", (inputs, attrs, backend) => {
    const { epsilon = 1e-5, momentum = 0.1, activation } = attrs;
    const { x, gamma, beta, runningMean, runningVariance } = inputs;
    const type = numbersOf(x, backend);
    const [y, newMean, newVariance, mean, variance] = executeTyped(
      backend,
      "ZooBatchNorm",
      { epsilon: { float: epsilon }, momentum: { float: momentum }, relu: activation === "relu", T: { type } },
      [[x, type], ...single(gamma, beta, runningMean, runningVariance)],
      5,
    );
    const saved = [x as Tensor, gamma as Tensor, beta as Tensor, mean, variance];
    return [y, newMean, newVariance, mean, variance, ...saved];
  });

  registerTensorflow<BatchNormAttrs>("ZooBatchNormInference", (inputs, { epsilon = 1e-5, activation }, backend) => {
    const { x, gamma, beta, runningMean, runningVariance } = inputs;
    const type = numbersOf(x, backend);
    const parameters = [gamma, beta, runningMean, runningVariance];
    const [y] = executeTyped(
      backend,
      "ZooBatchNormInference",
      { epsilon: { float: epsilon }, relu: activation === "relu", T: { type } },
      [[x, type], ...single(...parameters)],
      1,
    );
    return [y, x as Tensor, ...(parameters as Tensor[])];
  });

  registerTensorflow<BatchNormAttrs>("ZooBatchNormTrainingGrad", (inputs, attrs, backend) => {
    const { epsilon = 1e-5, activation } = attrs;
    const { dy, x, gamma, beta, mean, variance } = inputs;
    const type = numbersOf(x, backend);
    return executeTyped(
      backend,
      "ZooBatchNormGrad",
      { epsilon: { float: epsilon }, relu: activation === "relu", T: { type } },
      [...all(type, dy, x), ...single(gamma, beta, mean, variance)],
      3,
    );
  });

  const sum = (a: TensorInfo, b: TensorInfo, relu: boolean, backend: TensorflowBackend) => {
    const halves = [a, b].every((tensor) => numbersOf(tensor, backend) === "bfloat16");
    const type = halves ? "bfloat16" : "float32";
    return executeTyped(backend, "ZooAdd", { relu, T: { type } }, all(type, a, b), 1)[0];
  };

  registerTensorflow<{ activation?: "relu" }>("ZooAdd", ({ a, b }, { activation }, backend) => {
    const y = sum(a, b, activation === "relu", backend);
    return [y, y];
  });

  // Where tfjs adds up the gradients of a tensor that is used twice; all other sums stay with the stock kernel.
  const stockAdd = getKernel("Add", "tensorflow");
  registerTensorflow("Add", (inputs, attrs, backend) => {
    const { a, b } = inputs;
    const plain = a.dtype === "float32" && b.dtype === "float32" && util.arraysEqual(a.shape, b.shape);
    if (plain || stockAdd === undefined) return sum(a, b, false, backend);
    return stockAdd.kernelFunc({ inputs, attrs: attrs as NamedAttrMap, backend });
  });

  // A tensor in bf16 stays in it; all others are left to the stock kernel.
  const stockReshape = getKernel("Reshape", "tensorflow");
  registerTensorflow<{ shape: number[] }>("Reshape", (inputs, attrs, backend) => {
    const { x } = inputs;
    if (stockReshape === undefined || (x.dtype === "float32" && numbersOf(x, backend) === "bfloat16")) {
      return reshaped(backend, x, attrs.shape);
    }
    return stockReshape.kernelFunc({ inputs, attrs: attrs as unknown as NamedAttrMap, backend });
  });

  registerTensorflow("ZooRelu", ({ x }, _, backend) => {
    const type = numbersOf(x, backend);
    const [y] = executeTyped(backend, "ZooRelu", { T: { type } }, [[x, type]], 1);
    return [y, y];
  });

  const reluGrad = (dy: TensorInfo, y: TensorInfo, backend: TensorflowBackend) => {
    const type = numbersOf(y, backend);
    return executeTyped(backend, "ZooReluGrad", { T: { type } }, all(type, dy, y), 1)[0];
  };

  registerTensorflow<{ activation?: "relu" }>("ZooAddGrad", ({ dy, y }, { activation }, backend) => {
    const dz = activation === "relu" ? reluGrad(dy, y, backend) : (dy as Tensor);
    return [dz, clone(dz)];
  });

  registerTensorflow("ZooReluGrad", ({ dy, y }, _, backend) => reluGrad(dy, y, backend));

  registerTensorflow("ZooLayerScale", ({ x, gamma }, _, backend) => {
    const type = numbersOf(x, backend);
    const [y] = executeTyped(backend, "ZooLayerScale", { T: { type } }, [[x, type], ...single(gamma)], 1);
    return [y, x as Tensor, gamma as Tensor];
  });

  registerTensorflow("ZooLayerScaleGrad", ({ dy, x, gamma }, _, backend) => {
    const type = numbersOf(x, backend);
    return executeTyped(backend, "ZooLayerScaleGrad", { T: { type } }, [...all(type, dy, x), ...single(gamma)], 2);
  });

  registerTensorflow<{ stride: number; channels: number }>("ZooShortcutA", ({ x }, { stride, channels }, backend) => {
    const type = numbersOf(x, backend);
    const [y] = executeTyped(backend, "ZooShortcutA", { stride, channels, T: { type } }, [[x, type]], 1);
    return [y, x];
  });

  registerTensorflow<{ stride: number }>("ZooShortcutAGrad", ({ dy, x }, { stride }, backend) => {
    const [type, other] = [numbersOf(dy, backend), numbersOf(x, backend)];
    const attrs = { stride, T: { type }, X: { type: other } };
    return executeTyped(
      backend,
      "ZooShortcutAGrad",
      attrs,
      [
        [dy, type],
        [x, other],
      ],
      1,
    );
  });

  registerTensorflow<GeluAttrs>("ZooGelu", ({ x }, { approximation }, backend) => {
    const type = numbersOf(x, backend);
    const attrs = { tanh: approximation === "tanh", T: { type } };
    return [executeTyped(backend, "ZooGelu", attrs, all(type, x), 1)[0], x as Tensor];
  });

  registerTensorflow<GeluAttrs>("ZooGeluGrad", ({ dy, x }, { approximation }, backend) => {
    const type = numbersOf(x, backend);
    return executeTyped(backend, "ZooGeluGrad", { tanh: approximation === "tanh", T: { type } }, all(type, dy, x), 1);
  });

  registerTensorflow<SoftmaxCrossEntropyAttrs>(
    "ZooSoftmaxCrossEntropy",
    ({ logits, labels }, { labelSmoothing = 0 }, backend) => {
      const type = numbersOf(logits, backend);
      const attrs = { smoothing: { float: labelSmoothing }, T: { type } };
      const inputs = [...all(type, logits), ...single(labels)];
      const [loss, logSum] = executeTyped(backend, "ZooSoftmaxCrossEntropy", attrs, inputs, 2);
      return [loss, logits as Tensor, labels as Tensor, logSum];
    },
  );

  registerTensorflow<SoftmaxCrossEntropyAttrs>(
    "ZooSoftmaxCrossEntropyGrad",
    ({ dy, logits, labels, logSum }, { labelSmoothing = 0 }, backend) => {
      const type = numbersOf(logits, backend);
      const attrs = { smoothing: { float: labelSmoothing }, T: { type } };
      const inputs = [...single(dy), ...all(type, logits), ...single(labels, logSum)];
      return executeTyped(backend, "ZooSoftmaxCrossEntropyGrad", attrs, inputs, 1);
    },
  );

  registerTensorflow<{ shape: readonly number[]; rate: number }>(
    "ZooDropoutMask",
    ({ key }, { shape, rate }, backend) => {
      const attrs = { below: Math.ceil(rate * 2 ** 24), kept: { float: 1 / (1 - rate) } };
      const size = tensor1d([...shape], "int32");
      const [mask] = executeTyped(backend, "ZooDropoutMask", attrs, single(key, size), 1);
      size.dispose();
      return mask;
    },
  );

  // Where channels are dropped together the mask is smaller than what it drops, and the stock product spreads it.
  const dropped = (x: TensorInfo, mask: TensorInfo, backend: TensorflowBackend): Tensor => {
    const rows =
      mask.shape.length === x.shape.length && mask.shape.every((n, axis) => n === (axis === 0 ? x.shape[0] : 1));
    if (!rows && !util.arraysEqual(x.shape, mask.shape)) return mul(x as Tensor, mask as Tensor);
    const type = numbersOf(x, backend);
    return executeTyped(backend, "ZooDropout", { T: { type } }, [...all(type, x), ...single(mask)], 1)[0];
  };

  registerTensorflow("ZooDropout", ({ x, mask }, _, backend) => [dropped(x, mask, backend), mask as Tensor]);

  registerTensorflow("ZooDropoutGrad", ({ dy, mask }, _, backend) => dropped(dy, mask, backend));

  registerTensorflow("ZooEmbeddingGrad", ({ dy, ids, table }, _, backend) => {
    const type = numbersOf(dy, backend);
    const attrs = { vocabulary: table.shape[0], T: { type } };
    return executeTyped(backend, "ZooEmbeddingGrad", attrs, [...all(type, dy), ...single(ids)], 1);
  });

  registerTensorflow<DepthwiseConv2DAttrs>("ZooDepthwise", ({ x, filter, bias }, attrs, backend) => {
    const type = numbersOf(x, backend);
    const biases = bias === undefined ? [] : single(bias);
    const all = { ...depthwise(attrs), N: biases.length, T: { type } };
    return executeTyped(backend, "ZooDepthwiseConv2D", all, [[x, type], ...single(filter), ...biases], 1)[0];
  });

  registerTensorflow<DepthwiseConv2DAttrs & { size: number[] }>(
    "ZooDepthwiseBackpropInput",
    ({ dy, filter }, attrs, backend) => {
      const type = numbersOf(dy, backend);
      const all = { ...depthwise(attrs), size: attrs.size, T: { type } };
      return executeTyped(backend, "ZooDepthwiseConv2DBackpropInput", all, [[dy, type], ...single(filter)], 1)[0];
    },
  );

  registerTensorflow<DepthwiseConv2DAttrs & { size: number[] }>(
    "ZooDepthwiseBackpropFilter",
    ({ x, dy }, attrs, backend) => {
      const type = numbersOf(x, backend);
      const typed = { ...depthwise(attrs), size: attrs.size, T: { type } };
      return executeTyped(backend, "ZooDepthwiseConv2DBackpropFilter", typed, all(type, x, dy), 1)[0];
    },
  );

  registerTensorflow<{ epsilon?: number }>("ZooLayerNorm", ({ x, gamma, beta }, { epsilon = 1e-5 }, backend) => {
    const type = numbersOf(x, backend);
    const attrs = { epsilon: { float: epsilon }, T: { type } };
    const [y, mean, invStd] = executeTyped(backend, "ZooLayerNorm", attrs, [[x, type], ...single(gamma, beta)], 3);
    return [y, x as Tensor, mean, invStd, gamma as Tensor];
  });

  registerTensorflow("ZooLayerNormGrad", ({ dy, x, mean, invStd, gamma }, _, backend) => {
    const type = numbersOf(x, backend);
    const inputs = [...all(type, dy, x), ...single(mean, invStd, gamma)];
    return executeTyped(backend, "ZooLayerNormGrad", { T: { type } }, inputs, 3);
  });

  registerTensorflow("ZooConcat", (inputs, _, backend) => {
    const parts = Object.values(inputs);
    const halves = parts.every((tensor) => numbersOf(tensor, backend) === "bfloat16");
    const type = halves ? "bfloat16" : "float32";
    const [y] = executeTyped(backend, "ZooConcat", { N: parts.length, T: { type } }, all(type, ...parts), 1);
    return [y, ...(parts as Tensor[])];
  });

  registerTensorflow("ZooConcatGrad", ({ dy, ...inputs }, _, backend) => {
    const size = Object.values(inputs).map(({ shape }) => shape[shape.length - 1]);
    const type = numbersOf(dy, backend);
    return executeTyped(backend, "ZooConcatGrad", { N: size.length, size, T: { type } }, all(type, dy), size.length);
  });

  const window = (x: TensorInfo, { poolSize, strides = poolSize, padding = 0 }: Pool2DAttrs) => {
    const [size, steps, pads] = [pair(poolSize), pair(strides), pair(padding)];
    for (const axis of [0, 1]) windowOutput(x.shape[axis + 1], size[axis], steps[axis], pads[axis]);
    return { size: [...size], strides: [...steps], padding: [...pads] };
  };

  registerTensorflow<Pool2DAttrs>("ZooMaxPool2D", ({ x }, attrs, backend) => {
    const type = numbersOf(x, backend);
    const [y] = executeTyped(backend, "ZooMaxPool", { ...window(x, attrs), T: { type } }, [[x, type]], 1);
    return [y, x as Tensor, y];
  });

  registerTensorflow<Pool2DAttrs>("ZooMaxPool2DGrad", ({ dy, x, y }, attrs, backend) => {
    const type = numbersOf(x, backend);
    return executeTyped(backend, "ZooMaxPoolGrad", { ...window(x, attrs), T: { type } }, all(type, dy, x, y), 1);
  });

  registerTensorflow<Pool2DAttrs>("ZooAvgPool2D", ({ x }, attrs, backend) => {
    const type = numbersOf(x, backend);
    const [y] = executeTyped(backend, "ZooAvgPool", { ...window(x, attrs), T: { type } }, [[x, type]], 1);
    return [y, x as Tensor];
  });

  registerTensorflow<Pool2DAttrs>("ZooAvgPool2DGrad", ({ dy, x }, attrs, backend) => {
    const type = numbersOf(x, backend);
    const types = { T: { type }, X: { type } };
    return executeTyped(backend, "ZooAvgPoolGrad", { ...window(x, attrs), ...types }, all(type, dy, x), 1);
  });

  registerTensorflow("ZooGlobalAvgPool2D", ({ x }, _, backend) => {
    const type = numbersOf(x, backend);
    return [executeTyped(backend, "ZooMeanPixels", { T: { type } }, [[x, type]], 1)[0], x as Tensor];
  });

  registerTensorflow("ZooGlobalAvgPool2DGrad", ({ dy, x }, _, backend) => {
    const type = numbersOf(x, backend);
    return executeTyped(backend, "ZooMeanPixelsGrad", { T: { type } }, [...single(dy), [x, type]], 1);
  });

  // An optimizer's step on N weights, N gradients and the vectors that it carries; what changes from step to step is an
  // input, since TensorFlow keeps a kernel for every set of attributes.
  const update = (op: string, slots: number, inputs: Inputs, given: number[], backend: TensorflowBackend) => {
    const tensors = Object.values(inputs);
    const N = (tensors.length - slots) / 2;
    const numbers = tensor1d(given);
    const results = executeTyped(backend, op, { N }, single(...tensors, numbers), N + slots);
    numbers.dispose();
    return results;
  };

  registerTensorflow<AdamUpdateAttrs>("ZooAdam", (inputs, attrs, backend) => {
    const { learningRate, beta1, beta2, epsilon, decay, decoupled, scale, step } = attrs;
    const decays = decoupled ? [0, decay] : [decay, 0];
    const shares = [1, step].flatMap((t) => [1 - beta1 ** t, 1 - beta2 ** t]);
    const numbers = [learningRate, beta1, beta2, epsilon, ...decays, ...shares, scale];
    return update("ZooAdam", 2, inputs, numbers, backend);
  });

  registerTensorflow<SgdUpdateAttrs>("ZooSgd", (inputs, attrs, backend) => {
    const { learningRate, decay, momentum, nesterov, scale } = attrs;
    return update("ZooSgd", 1, inputs, [learningRate, decay, momentum, nesterov ? 1 : 0, scale], backend);
  });

  registerTensorflow("ZooNorm", (tensors, _, backend) => {
    const parts = Object.values(tensors);
    return backend.executeSingleOutput("ZooNorm", opAttrs(backend, { N: parts.length }), parts);
  });

  registerTensorflow("ZooJoin", (tensors, _, backend) => {
    const parts = Object.values(tensors);
    return backend.executeSingleOutput("ZooJoin", opAttrs(backend, { N: parts.length }), parts);
  });

  registerTensorflow<{ shapes: readonly (readonly number[])[] }>("ZooSplit", ({ flat }, { shapes }, backend) => {
    const ranks = shapes.map((shape) => shape.length);
    return backend.executeMultipleOutputs(
      "ZooSplit",
      opAttrs(backend, { N: shapes.length, ranks, dims: shapes.flat() }),
      [flat],
      shapes.length,
    );
  });
}

const depthwise = ({ strides = 1, padding = 0, dilation = 1 }: DepthwiseConv2DAttrs) => ({
  strides: [...pair(strides)],
  padding: [...pair(padding)],
  dilation: [...pair(dilation)],
});

function reshaped(backend: TensorflowBackend, x: TensorInfo, shape: number[]): Tensor {
  const type = numbersOf(x, backend);
  const sizes = tensor1d(shape, "int32");
  const attrs = { T: { type }, Tshape: { type: "int32" as const } };
  const [y] = executeTyped(
    backend,
    "Reshape",
    attrs,
    [
      [x, type],
      [sizes, "float32"],
    ],
    1,
  );
  sizes.dispose();
  return y;
}
