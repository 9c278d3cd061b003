import {
  add,
  mul,
  relu,
  reshape,
  rsqrt,
  sub,
  type Tensor,
  type TensorInfo,
  tensor1d,
  tidy,
} from "@tensorflow/tfjs-core";
import { type Inputs, opAttrs, registerTensorflow, type TensorflowBackend } from "./backend.ts";

interface Attrs {
  epsilon?: number;
  momentum?: number;
  activation?: "relu";
}

/**
 * Batch normalisation on FusedBatchNormV3 and its gradient: one pass over memory each where the composition has about
 * ten. `exponential_avg_factor` makes the op update the running statistics too.
 */
export function registerBatchNorm(): void {
  registerTensorflow<Attrs>("ZooBatchNormTraining", (inputs, { epsilon = 1e-5, momentum = 0.1, activation }, backend) =>
    tidy(() => {
      const { x, gamma, beta, runningMean, runningVariance } = inputs;
      const [y, newMean, newVariance, mean, variance] = backend.executeMultipleOutputs(
        "FusedBatchNormV3",
        opAttrs(backend, { ...fused(epsilon), exponential_avg_factor: { float: momentum } }),
        [asImages(x), gamma, beta, runningMean, runningVariance],
        6,
      );
      const output = withShape(activation === "relu" ? relu(y) : y, x);
      const saved = [x as Tensor, gamma as Tensor, beta as Tensor, mean, variance];
      return [output, newMean, newVariance, mean, variance, ...saved];
    }),
  );

  registerTensorflow<Attrs>("ZooBatchNormTrainingGrad", (inputs, { epsilon = 1e-5, activation }, backend) =>
    tidy(() => {
      const { x, gamma, mean, variance } = inputs;
      const dy = activation === "relu" ? maskedGradient(inputs, epsilon, backend) : inputs.dy;
      const reserved = tensor1d([]); // the sixth output of the forward, which is empty on a CPU
      const [dx, dgamma, dbeta] = backend.executeMultipleOutputs(
        "FusedBatchNormGradV3",
        opAttrs(backend, fused(epsilon)),
        [asImages(dy), asImages(x), gamma, mean, variance, reserved],
        5,
      );
      return [withShape(dx, x), dgamma, dbeta];
    }),
  );
}

/** ∂L/∂y where y, computed again, is positive. */
function maskedGradient({ dy, x, gamma, beta, mean, variance }: Inputs, epsilon: number, backend: TensorflowBackend) {
  const scale = mul(gamma as Tensor, rsqrt(add(variance as Tensor, epsilon))); // [channels]
  const y = add(mul(sub(x as Tensor, mean as Tensor), scale), beta as Tensor); // [..., channels]
  return backend.executeSingleOutput("ReluGrad", opAttrs(backend, { T: { type: "float32" } }), [dy, y]);
}

const fused = (epsilon: number) => ({
  T: { type: "float32" as const },
  U: { type: "float32" as const },
  epsilon: { float: epsilon },
  data_format: "NHWC",
  is_training: true,
});

/** [..., channels] as [rows, 1, 1, channels], since the op takes images only. */
function asImages(x: TensorInfo): TensorInfo {
  return x.shape.length === 4 ? x : reshape(x as Tensor, [-1, 1, 1, x.shape[x.shape.length - 1]]);
}

function withShape(y: Tensor, x: TensorInfo): Tensor {
  return x.shape.length === 4 ? y : reshape(y, x.shape);
}
