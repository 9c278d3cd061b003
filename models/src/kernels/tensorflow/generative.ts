import { ones, type Tensor, type TensorInfo, tensor1d, zeros } from "@tensorflow/tfjs-core";
import type { GaussianKlAttrs } from "../../ops/gaussian-kl.ts";
import type { GroupNormAttrs } from "../../ops/group-norm.ts";
import type { LeakyReluAttrs } from "../../ops/leaky-relu.ts";
import { expectOneShape, type ReductionAttrs, reductionNumbers } from "../../ops/reduction.ts";
import { registerTensorflow } from "./backend.ts";
import { all, executeTyped, numbersOf, single } from "./bf16.ts";

/**
 * What generators, critics and U-Nets are made of beside convolutions, and what variational bounds are
 * (training/native/group-norm.h, activations.h, random.h, variational.h).
 * Images may be in bf16, and then results are; parameters and statistics are in single precision.
 */
export function registerGenerative(): void {
  registerTensorflow("ZooSilu", ({ x }, _, backend) => {
    const type = numbersOf(x, backend);
    return [executeTyped(backend, "ZooSilu", { T: { type } }, all(type, x), 1)[0], x as Tensor];
  });

  registerTensorflow("ZooSiluGrad", ({ dy, x }, _, backend) => {
    const type = numbersOf(x, backend);
    return executeTyped(backend, "ZooSiluGrad", { T: { type } }, all(type, dy, x), 1);
  });

  registerTensorflow<LeakyReluAttrs>("ZooLeakyRelu", ({ x }, { slope = 0.01 }, backend) => {
    const type = numbersOf(x, backend);
    const [y] = executeTyped(backend, "ZooLeakyRelu", { slope: { float: slope }, T: { type } }, all(type, x), 1);
    return [y, y];
  });

  registerTensorflow<LeakyReluAttrs>("ZooLeakyReluGrad", ({ dy, y }, { slope = 0.01 }, backend) => {
    const type = numbersOf(y, backend);
    return executeTyped(backend, "ZooLeakyReluGrad", { slope: { float: slope }, T: { type } }, all(type, dy, y), 1);
  });

  registerTensorflow<GroupNormAttrs>("ZooGroupNorm", (inputs, { groups = 1, epsilon = 1e-5 }, backend) => {
    const { x } = inputs;
    const channels = x.shape[x.shape.length - 1];
    const { gamma = ones([channels]), beta = zeros([channels]) } = inputs;
    const type = numbersOf(x, backend);
    const attrs = { groups, epsilon: { float: epsilon }, T: { type } };
    const results = executeTyped(backend, "ZooGroupNorm", attrs, [...all(type, x), ...single(gamma, beta)], 3);
    const [y, mean, invStd] = results;
    return [y, x as Tensor, mean, invStd, gamma as Tensor, beta as Tensor];
  });

  registerTensorflow<GroupNormAttrs>("ZooGroupNormGrad", (inputs, { groups = 1 }, backend) => {
    const { dy, x, mean, invStd, gamma } = inputs;
    const type = numbersOf(x, backend);
    const given = [...all(type, dy, x), ...single(mean, invStd, gamma)];
    return executeTyped(backend, "ZooGroupNormGrad", { groups, T: { type } }, given, 3);
  });

  for (const name of ["ZooUniform", "ZooNormal"]) {
    registerTensorflow<{ shape: readonly number[] }>(name, ({ key }, { shape }, backend) => {
      const size = tensor1d([...shape], "int32");
      const [numbers] = executeTyped(backend, name, {}, single(key, size), 1);
      size.dispose();
      return numbers;
    });
  }

  registerTensorflow<ReductionAttrs>(
    "ZooSigmoidCrossEntropy",
    ({ logits, target }, { reduction = "mean" }, backend) => {
      expectOneShape("sigmoidCrossEntropy", { logits: logits as Tensor, target: target as Tensor });
      const type = numbersOf(logits, backend);
      const attrs = { reduction: reductionNumbers[reduction], T: { type } };
      const inputs = [...all(type, logits), ...single(target)];
      const [loss] = executeTyped(backend, "ZooSigmoidCrossEntropy", attrs, inputs, 1);
      return [loss, logits as Tensor, target as Tensor];
    },
  );

  registerTensorflow<ReductionAttrs>(
    "ZooSigmoidCrossEntropyGrad",
    ({ dy, logits, target }, { reduction = "mean" }, backend) => {
      const type = numbersOf(logits, backend);
      const attrs = { reduction: reductionNumbers[reduction], T: { type } };
      const inputs = [...single(dy), ...all(type, logits), ...single(target)];
      return executeTyped(backend, "ZooSigmoidCrossEntropyGrad", attrs, inputs, 1);
    },
  );

  const divergence = (inputs: readonly TensorInfo[], { reduction = "each" }: GaussianKlAttrs) => ({
    reduction: reductionNumbers[reduction],
    with_mean: inputs.length > 2 ? 1 : 0,
    with_variance: inputs.length > 3 ? 1 : 0,
  });

  registerTensorflow<GaussianKlAttrs>("ZooGaussianKl", (given, attrs, backend) => {
    expectOneShape("gaussianKl", given as { [name: string]: Tensor });
    const { mean, logVariance, priorLogVariance } = given;
    const { priorMean = priorLogVariance && zeros(mean.shape) } = given;
    const inputs = [mean, logVariance, priorMean, priorLogVariance].filter((tensor) => tensor !== undefined);
    const [kl] = executeTyped(backend, "ZooGaussianKl", divergence(inputs, attrs), single(...inputs), 1);
    return [kl, ...inputs];
  });

  registerTensorflow<GaussianKlAttrs>("ZooGaussianKlGrad", ({ dy, ...given }, attrs, backend) => {
    const inputs = ["mean", "logVariance", "priorMean", "priorLogVariance"].flatMap((name) => given[name] ?? []);
    const native = divergence(inputs, attrs);
    return executeTyped(backend, "ZooGaussianKlGrad", native, single(dy, ...inputs), inputs.length);
  });

  registerTensorflow("ZooReparameterize", ({ mean, logVariance, noise }, _, backend) => {
    const [z] = executeTyped(backend, "ZooReparameterize", {}, single(mean, logVariance, noise), 1);
    return [z, logVariance as Tensor, noise as Tensor];
  });

  registerTensorflow("ZooReparameterizeGrad", ({ dy, logVariance, noise }, _, backend) =>
    executeTyped(backend, "ZooReparameterizeGrad", {}, single(dy, logVariance, noise), 2),
  );
}
