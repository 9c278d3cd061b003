import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { BatchNormAttrs } from "../../ops/batch-norm.ts";
import { elementwise, type Inputs, registerWebgpu, type Uniforms, type WebgpuBackend } from "./backend.ts";
import { columnSums, finishSums } from "./column-sums.ts";

/**
 * Batch normalisation in training, of the formulas in ops/batch-norm.ts, in two passes over x forward and two backward,
 * where the composition has more than ten, two of them transpositions.
 */
export function registerBatchNorm(): void {
  registerWebgpu<BatchNormAttrs>("ZooBatchNormTraining", ({ inputs, attrs, backend }) => {
    const { x, gamma, beta, runningMean, runningVariance } = inputs;
    const { epsilon = 1e-5, momentum = 0.1, activation } = attrs;
    const [rows, columns] = matrixOf(x);
    const sums = columnSums(deviations, [x], [rows, columns], [], backend);
    const channels = gamma.shape;
    const [mean, variance, newMean, newVariance] = finishSums(
      { ...statistics, written: { variance: channels, newMean: channels, newVariance: channels } },
      sums,
      [x, runningMean, runningVariance],
      [
        { type: "float32", data: [rows] },
        { type: "float32", data: [momentum] },
      ],
      backend,
    );
    const y = backend.runWebGPUProgram(
      elementwise(
        {
          variableNames: ["x", "gamma", "beta", "mean", "variance"],
          outputShape: x.shape,
          uniforms: "columns : i32, epsilon : f32,",
          shaderKey: `zooBatchNorm_${activation}`,
        },
        `let column = index % uniforms.columns;
        ${normalisedAt("index")}
        let z = normalised * gamma[column] + beta[column];
        setOutputAtIndex(index, ${activation === "relu" ? "max(z, 0.0)" : "z"});`,
      ),
      [x, gamma, beta, mean, variance],
      "float32",
      [
        { type: "int32", data: [columns] },
        { type: "float32", data: [epsilon] },
      ],
    );
    return [y, newMean, newVariance, mean, variance, x, gamma, beta, mean, variance];
  });

  registerWebgpu<BatchNormAttrs>("ZooBatchNormTrainingGrad", ({ inputs, attrs, backend }) =>
    gradients(inputs.dy, inputs, attrs, backend),
  );
}

/** Rows and channels of [..., channels]. */
function matrixOf({ shape }: TensorInfo): [rows: number, columns: number] {
  return [shape.slice(0, -1).reduce((a, b) => a * b, 1), shape[shape.length - 1]];
}

/** x̂ of the element `index`, or `at` */
const normalisedAt = (at: string) =>
  `let normalised = (x[${at}] - mean[column]) * inverseSqrt(variance[column] + uniforms.epsilon);`;

/** ∂L/∂z, which the ReLU lets through where z is positive */
const deactivated = (at: string, activation: BatchNormAttrs["activation"]) =>
  activation === "relu"
    ? `let dz = select(0.0, dy[${at}], normalised * gamma[column] + beta[column] > 0.0);`
    : `let dz = dy[${at}];`;

/**
 * x less the column's first number, and its square: a sum of squares of numbers that are far from 0 would lose the
 * variance in rounding.
 */
const deviations = {
  shaderKey: "deviations",
  variableNames: ["x"],
  code: `first = x[at] - x[column];
            second = first * first;`,
};

/** σ² is mean((x − a)²) − (mean(x) − a)², where a is the column's first number. */
const statistics = {
  shaderKey: "batchNorm",
  variableNames: ["x", "runningMean", "runningVariance"],
  uniforms: "count : f32, momentum : f32,",
  code: `let mean = x[column] + first / uniforms.count;
        let squares = max(second - first * first / uniforms.count, 0.0);
        let unbiased = squares / max(uniforms.count - 1.0, 1.0);
        result[column] = mean;
        variance[column] = squares / uniforms.count;
        newMean[column] = mix(runningMean[column], mean, uniforms.momentum);
        newVariance[column] = mix(runningVariance[column], unbiased, uniforms.momentum);`,
};

function gradients(
  dy: TensorInfo,
  { x, gamma, beta, mean, variance }: Inputs,
  { epsilon = 1e-5, activation }: BatchNormAttrs,
  backend: WebgpuBackend,
): TensorInfo[] {
  const [rows, columns] = matrixOf(x);
  // A shader is handed what it reads and nothing else: bindings that it does not use are not in its layout.
  const read = { dy, x, mean, variance, ...(activation === "relu" && { gamma, beta }) };
  const small: Uniforms = [{ type: "float32", data: [epsilon] }];
  const sums = columnSums(
    {
      shaderKey: `batchNormGrad_${activation}`,
      variableNames: Object.keys(read),
      uniforms: "epsilon : f32,",
      code: `${normalisedAt("at")}
            ${deactivated("at", activation)}
            first = dz;
            second = dz * normalised;`,
    },
    Object.values(read),
    [rows, columns],
    small,
    backend,
  );
  const [dbeta, dgamma, totals] = finishSums(
    {
      shaderKey: "batchNormGrad",
      // Both once more in one buffer, since the next shader reads as many as it may.
      written: { dgamma: gamma.shape, totals: [2, columns] },
      code: `result[column] = first;
        dgamma[column] = second;
        totals[column] = first;
        totals[uniforms.size + column] = second;`,
    },
    sums,
    [],
    [],
    backend,
  );
  const all = { ...read, gamma, totals };
  const dx = backend.runWebGPUProgram(
    elementwise(
      {
        variableNames: Object.keys(all),
        outputShape: x.shape,
        uniforms: "rows : i32, columns : i32, epsilon : f32,",
        shaderKey: `zooBatchNormGrad_${activation}`,
      },
      `let column = index % uniforms.columns;
        ${normalisedAt("index")}
        ${deactivated("index", activation)}
        let along = (totals[column] + normalised * totals[uniforms.columns + column]) / f32(uniforms.rows);
        let scale = gamma[column] * inverseSqrt(variance[column] + uniforms.epsilon);
        setOutputAtIndex(index, (dz - along) * scale);`,
    ),
    Object.values(all),
    "float32",
    [{ type: "int32", data: [rows] }, { type: "int32", data: [columns] }, ...small],
  );
  backend.disposeData(totals.dataId);
  return [dx, dgamma, dbeta];
}
