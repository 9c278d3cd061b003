import { clone, getKernel, type NamedAttrMap, type Tensor, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { opAttrs, registerTensorflow, type TensorflowBackend } from "./backend.ts";
import { executeTyped, type Numbers, numbersOf } from "./bf16.ts";

interface BatchNormAttrs {
  epsilon?: number;
  momentum?: number;
  activation?: "relu";
}

/**
 * The ops of training/native/zoo-kernels.cc, under the names by which our ops look for kernels. Images may be in bf16,
 * and then results are; parameters and statistics are in single precision.
 */
export function registerZooOps(): void {
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
    return [y, newMean, newVariance, x as Tensor, gamma as Tensor, beta as Tensor, mean, variance];
  });

  registerTensorflow<BatchNormAttrs>("ZooBatchNormTrainingGrad", (inputs, attrs, backend) => {
    const { epsilon = 1e-5, activation } = attrs;
    const { dy, x, gamma, beta, mean, variance } = inputs;
    const type = numbersOf(x, backend);
    return executeTyped(
      backend,
      "ZooBatchNormGrad",
      { epsilon: { float: epsilon }, relu: activation === "relu", T: { type } },
      [[dy, type], [x, type], ...single(gamma, beta, mean, variance)],
      3,
    );
  });

  const sum = (a: TensorInfo, b: TensorInfo, relu: boolean, backend: TensorflowBackend) => {
    const halves = [a, b].every((tensor) => numbersOf(tensor, backend) === "bfloat16");
    const type = halves ? "bfloat16" : "float32";
    return executeTyped(
      backend,
      "ZooAdd",
      { relu, T: { type } },
      [
        [a, type],
        [b, type],
      ],
      1,
    )[0];
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

  registerTensorflow("ZooRelu", ({ x }, _, backend) => {
    const type = numbersOf(x, backend);
    const [y] = executeTyped(backend, "Relu", { T: { type } }, [[x, type]], 1);
    return [y, y];
  });

  const reluGrad = (dy: TensorInfo, y: TensorInfo, backend: TensorflowBackend) => {
    const type = numbersOf(y, backend);
    return executeTyped(
      backend,
      "ZooReluGrad",
      { T: { type } },
      [
        [dy, type],
        [y, type],
      ],
      1,
    )[0];
  };

  registerTensorflow<{ activation?: "relu" }>("ZooAddGrad", ({ dy, y }, { activation }, backend) => {
    const dz = activation === "relu" ? reluGrad(dy, y, backend) : (dy as Tensor);
    return [dz, clone(dz)];
  });

  registerTensorflow("ZooReluGrad", ({ dy, y }, _, backend) => reluGrad(dy, y, backend));

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

const single = (...tensors: TensorInfo[]) => tensors.map((tensor): [TensorInfo, Numbers] => [tensor, "float32"]);
