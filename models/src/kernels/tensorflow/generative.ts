import { ones, type Tensor, zeros } from "@tensorflow/tfjs-core";
import type { GroupNormAttrs } from "../../ops/group-norm.ts";
import type { LeakyReluAttrs } from "../../ops/leaky-relu.ts";
import { registerTensorflow } from "./backend.ts";
import { all, executeTyped, numbersOf, single } from "./bf16.ts";

/**
 * What generators, critics and U-Nets are made of beside convolutions (training/native/group-norm.h, activations.h).
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
}
