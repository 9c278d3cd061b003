import { clone, getKernel, type NamedAttrMap, type Tensor, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { opAttrs, registerTensorflow, type TensorflowBackend } from "./backend.ts";

interface BatchNormAttrs {
  epsilon?: number;
  momentum?: number;
  activation?: "relu";
}

/** The ops of training/native/zoo-kernels.cc, under the names by which our ops look for kernels. */
export function registerZooOps(): void {
  registerTensorflow<BatchNormAttrs>(
    "ZooBatchNormTraining",
    ({ x, gamma, beta, runningMean, runningVariance }, { epsilon = 1e-5, momentum = 0.1, activation }, backend) => {
      const attrs = { epsilon: { float: epsilon }, momentum: { float: momentum }, relu: activation === "relu" };
      const inputs = [x, gamma, beta, runningMean, runningVariance];
      const [y, newMean, newVariance, mean, variance] = backend.executeMultipleOutputs(
        "ZooBatchNorm",
        opAttrs(backend, attrs),
        inputs,
        5,
      );
      return [y, newMean, newVariance, x, gamma, beta, mean, variance];
    },
  );

  registerTensorflow<BatchNormAttrs>(
    "ZooBatchNormTrainingGrad",
    ({ dy, x, gamma, beta, mean, variance }, { epsilon = 1e-5, activation }, backend) =>
      backend.executeMultipleOutputs(
        "ZooBatchNormGrad",
        opAttrs(backend, { epsilon: { float: epsilon }, relu: activation === "relu" }),
        [dy, x, gamma, beta, mean, variance],
        3,
      ),
  );

  const sum = (a: TensorInfo, b: TensorInfo, relu: boolean, backend: TensorflowBackend) =>
    backend.executeSingleOutput("ZooAdd", opAttrs(backend, { relu }), [a, b]);

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

  registerTensorflow<{ activation?: "relu" }>("ZooAddGrad", ({ dy, y }, { activation }, backend) => {
    const dz = activation === "relu" ? backend.executeSingleOutput("ZooReluGrad", [], [dy, y]) : (dy as Tensor);
    return [dz, clone(dz)];
  });

  registerTensorflow("ZooReluGrad", ({ dy, y }, _, backend) => backend.executeSingleOutput("ZooReluGrad", [], [dy, y]));

  registerTensorflow<{ stride: number; channels: number }>("ZooShortcutA", ({ x }, { stride, channels }, backend) => {
    const y = backend.executeSingleOutput("ZooShortcutA", opAttrs(backend, { stride, channels }), [x]);
    return [y, x];
  });

  registerTensorflow<{ stride: number }>("ZooShortcutAGrad", ({ dy, x }, { stride }, backend) =>
    backend.executeSingleOutput("ZooShortcutAGrad", opAttrs(backend, { stride }), [dy, x]),
  );

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
