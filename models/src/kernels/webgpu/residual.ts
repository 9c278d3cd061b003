import { add, clone, type Tensor } from "@tensorflow/tfjs-core";
import type { AddAttrs } from "../../ops/add.ts";
import { asTensors, elementwise, registerWebgpu } from "./backend.ts";

/** max(a + b, 0) and its gradient in one pass each, where the composition has two. */
export function registerResidual(): void {
  registerWebgpu<AddAttrs>("ZooAdd", ({ inputs: { a, b }, attrs: { activation }, backend }) => {
    if (activation === undefined) {
      const y = add(a as Tensor, b as Tensor);
      return [y, y];
    }
    const program = elementwise(
      { variableNames: ["a", "b"], outputShape: a.shape, shaderKey: "zooAddRelu" },
      "setOutputAtIndex(index, max(a[index] + b[index], 0.0));",
    );
    const y = backend.runWebGPUProgram(program, [a, b], "float32");
    return [y, y];
  });

  registerWebgpu<AddAttrs>("ZooAddGrad", ({ inputs: { dy, y }, attrs: { activation }, backend }) => {
    if (activation === undefined) return [dy, clone(dy as Tensor)];
    const program = elementwise(
      { variableNames: ["dy", "y"], outputShape: y.shape, shaderKey: "zooAddReluGrad" },
      "setOutputAtIndex(index, select(0.0, dy[index], y[index] > 0.0));",
    );
    const [dz] = asTensors([backend.runWebGPUProgram(program, [dy, y], "float32")]);
    return [dz, clone(dz)];
  });
}
