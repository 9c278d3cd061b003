import type { LayerNormAttrs } from "../../ops/layer-norm.ts";
import { registerWebgpu, runWriting, type Uniforms } from "./backend.ts";
import { columnSums, finishSums } from "./column-sums.ts";
import { rowProgram, SHARING } from "./row-program.ts";

/** Layer normalisation, of the formulas in ops/layer-norm.ts: a program forward, and one for each kind of sum backward. */
export function registerLayerNorm(): void {
  registerWebgpu<LayerNormAttrs>("ZooLayerNorm", ({ inputs, attrs: { epsilon = 1e-5 }, backend }) => {
    const { x, gamma, beta } = inputs;
    const [rows, d] = matrixOf(x.shape);
    const small: Uniforms = [
      { type: "int32", data: [d] },
      { type: "float32", data: [epsilon] },
    ];
    const about = { variableNames: ["x", "gamma", "beta"], outputShape: x.shape };
    const program = rowProgram(
      { ...about, uniforms: "d : i32, epsilon : f32,", shaderKey: "zooLayerNorm" },
      rows,
      `let begin = row * uniforms.d;
        var sum = 0.0;
        ${eachOfRow("sum += x[begin + k];")}
        let mu = sumOfAll(thread, sum) / f32(uniforms.d);
        var squares = 0.0;
        ${eachOfRow("squares += (x[begin + k] - mu) * (x[begin + k] - mu);")}
        let inverse = inverseSqrt(sumOfAll(thread, squares) / f32(uniforms.d) + uniforms.epsilon);
        ${eachOfRow("result[begin + k] = (x[begin + k] - mu) * inverse * gamma[k] + beta[k];")}
        if (thread == 0) {
          mean[row] = mu;
          invStd[row] = inverse;
        }`,
    );
    const single = [...x.shape.slice(0, -1), 1];
    const written = { mean: single, invStd: single };
    const [y, mean, invStd] = runWriting(program, [x, gamma, beta], written, small, backend);
    return [y, x, mean, invStd, gamma];
  });

  registerWebgpu("ZooLayerNormGrad", ({ inputs: { dy, x, mean, invStd, gamma }, backend }) => {
    const [rows, d] = matrixOf(x.shape);
    const program = rowProgram(
      {
        variableNames: ["dy", "x", "mean", "invStd", "gamma"],
        outputShape: x.shape,
        uniforms: "d : i32,",
        shaderKey: "zooLayerNormGrad",
      },
      rows,
      `let begin = row * uniforms.d;
        var sums = vec2<f32>(0.0);
        ${eachOfRow(`let g = dy[begin + k] * gamma[k];
          sums += vec2<f32>(g, g * (x[begin + k] - mean[row]) * invStd[row]);`)}
        let meanG = sumOfAll(thread, sums.x) / f32(uniforms.d);
        let along = sumOfAll(thread, sums.y) / f32(uniforms.d);
        ${eachOfRow(`let normalised = (x[begin + k] - mean[row]) * invStd[row];
          result[begin + k] = invStd[row] * (dy[begin + k] * gamma[k] - meanG - normalised * along);`)}`,
    );
    const size: Uniforms = [{ type: "int32", data: [d] }];
    const dx = backend.runWebGPUProgram(program, [dy, x, mean, invStd, gamma], "float32", size);
    const sums = columnSums(parameterSums, [dy, x, mean, invStd], [rows, d], [], backend);
    const [dbeta, dgamma] = finishSums({ ...finish, written: { dgamma: gamma.shape } }, sums, [], [], backend);
    return [dx, dgamma, dbeta];
  });
}

const matrixOf = (shape: number[]): [rows: number, d: number] => [
  shape.slice(0, -1).reduce((a, b) => a * b, 1),
  shape[shape.length - 1],
];

/** Does something for each element k of the workgroup's row. */
const eachOfRow = (code: string) => `for (var k = thread; k < uniforms.d; k += ${SHARING}) {
          ${code}
        }`;

const parameterSums = {
  shaderKey: "layerNormGrad",
  variableNames: ["dy", "x", "mean", "invStd"],
  code: `first = dy[at];
            second = dy[at] * (x[at] - mean[row]) * invStd[row];`,
};

const finish = {
  shaderKey: "layerNormGrad",
  code: `result[column] = first;
        dgamma[column] = second;`,
};
