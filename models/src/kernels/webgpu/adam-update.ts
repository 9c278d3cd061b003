import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { AdamUpdateAttrs } from "../../ops/adam-update.ts";
import { elementwise, registerWebgpu, runWriting, type Uniforms } from "./backend.ts";

/** One step of Adam or AdamW on weights and gradients where they are: a program for each weight, and nothing is joined. */
export function registerAdamUpdate(): void {
  registerWebgpu<AdamUpdateAttrs>("ZooAdam", ({ inputs, attrs, backend }) => {
    const { m, v, ...tensors } = inputs;
    const all = Object.values(tensors);
    const [weights, gradients] = [all.slice(0, all.length / 2), all.slice(all.length / 2)];
    const next = {
      nextM: backend.makeTensorInfo(m.shape, "float32"),
      nextV: backend.makeTensorInfo(v.shape, "float32"),
    };
    const { learningRate, beta1, beta2, epsilon, decay, decoupled, scale, step } = attrs;
    const numbers = floats(
      learningRate,
      1 - beta1,
      1 - beta2,
      epsilon,
      decoupled ? 0 : decay,
      decoupled ? decay : 0,
      1 - beta1 ** step,
      1 - beta2 ** step,
      scale,
    );
    const updated: TensorInfo[] = [];
    let offset = 0;
    for (const [i, weight] of weights.entries()) {
      const given: Uniforms = [{ type: "int32", data: [offset] }, ...numbers];
      const program = programOf(weight.shape);
      updated.push(runWriting(program, [weight, gradients[i], m, v], next, given, backend)[0]);
      offset += weight.shape.reduce((a, b) => a * b, 1);
    }
    return [...updated, next.nextM, next.nextV];
  });
}

const floats = (...numbers: number[]): Uniforms => numbers.map((number) => ({ type: "float32", data: [number] }));

/** The formula of training/src/optim/adam.ts; `index` is in the weight, `at` in m and v. */
const programOf = (shape: number[]) =>
  elementwise(
    {
      variableNames: ["weight", "gradient", "m", "v"],
      outputShape: shape,
      uniforms:
        "offset : i32, learningRate : f32, share1 : f32, share2 : f32, epsilon : f32, coupled : f32, decoupled : f32, " +
        "seen1 : f32, seen2 : f32, scale : f32,",
      shaderKey: "zooAdam",
    },
    `let at = uniforms.offset + index;
        let theta = weight[index];
        let g = gradient[index] * uniforms.scale + theta * uniforms.coupled;
        let mean = mix(m[at], g, uniforms.share1);
        let square = mix(v[at], g * g, uniforms.share2);
        nextM[at] = mean;
        nextV[at] = square;
        let direction = mean / uniforms.seen1 / (sqrt(square / uniforms.seen2) + uniforms.epsilon);
        setOutputAtIndex(index, theta - uniforms.learningRate * (direction + theta * uniforms.decoupled));`,
  );
