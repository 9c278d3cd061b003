import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { SgdUpdateAttrs } from "../../ops/sgd-update.ts";
import { elementwise, registerWebgpu, runWriting, type Uniforms } from "./backend.ts";

/**
 * One step of stochastic gradient descent on weights and gradients where they are, two weights at a time, in place of
 * joining all of them, and taking the result apart again: a ResNet-20 has 65 weights.
 */
export function registerSgdUpdate(): void {
  registerWebgpu<SgdUpdateAttrs>("ZooSgd", ({ inputs, attrs, backend }) => {
    const { v, ...tensors } = inputs;
    const all = Object.values(tensors);
    const [weights, gradients] = [all.slice(0, all.length / 2), all.slice(all.length / 2)];
    const next = backend.makeTensorInfo(v.shape, "float32");
    const numbers: Uniforms = [
      attrs.learningRate,
      attrs.decay,
      attrs.momentum,
      attrs.nesterov ? 1 : 0,
      attrs.scale,
    ].map((number) => ({ type: "float32", data: [number] }));
    const updated: TensorInfo[] = [];
    let offset = 0;
    for (let i = 0; i < weights.length; i += 2) {
      const pair = weights.slice(i, i + 2);
      const sizes = pair.map(sizeOf);
      const uniforms: Uniforms = [{ type: "int32", data: [offset] }, { type: "int32", data: [sizes[0]] }, ...numbers];
      const program = pair.length === 2 ? bothOf(sizes) : oneOf(sizes);
      const written = Object.fromEntries(pair.map(({ shape }, at) => [at === 0 ? "nextA" : "nextB", shape]));
      const given = pair.flatMap((weight, at) => [weight, gradients[i + at]]);
      const [, ...results] = runWriting(program, [v, ...given], written, uniforms, backend, next);
      updated.push(...results);
      offset += sizes.reduce((a, b) => a + b, 0);
    }
    return [...updated, next];
  });
}

const sizeOf = ({ shape }: TensorInfo): number => shape.reduce((a, b) => a * b, 1);

/** v and θ after the step, of the formula in training/src/optim/sgd.ts; `place` is in the weight, `at` in v. */
const step = (weight: string, gradient: string, next: string) => `
          let g = ${gradient}[place] * uniforms.scale + ${weight}[place] * uniforms.decay;
          let moved = v[at] * uniforms.momentum + g;
          result[at] = moved;
          let direction = mix(moved, g + moved * uniforms.momentum, uniforms.nesterov);
          ${next}[place] = ${weight}[place] - direction * uniforms.learningRate;`;

const uniforms =
  "offset : i32, first : i32, learningRate : f32, decay : f32, momentum : f32, nesterov : f32, scale : f32,";

const bothOf = (sizes: number[]) =>
  elementwise(
    {
      variableNames: ["v", "weightA", "gradientA", "weightB", "gradientB"],
      outputShape: [sizes[0] + sizes[1]],
      uniforms,
      shaderKey: "zooSgdOfTwo",
    },
    `let at = uniforms.offset + index;
        if (index < uniforms.first) {
          let place = index;
          ${step("weightA", "gradientA", "nextA")}
        } else {
          let place = index - uniforms.first;
          ${step("weightB", "gradientB", "nextB")}
        }`,
  );

const oneOf = (sizes: number[]) =>
  elementwise(
    { variableNames: ["v", "weightA", "gradientA"], outputShape: sizes, uniforms, shaderKey: "zooSgdOfOne" },
    `let at = uniforms.offset + index;
        let place = index;
        ${step("weightA", "gradientA", "nextA")}`,
  );
