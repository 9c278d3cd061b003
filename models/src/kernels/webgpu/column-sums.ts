import type { TensorInfo } from "@tensorflow/tfjs-core";
import {
  elementwise,
  type Program,
  runWriting,
  THREADS,
  type Uniforms,
  type WebgpuBackend,
  type Written,
} from "./backend.ts";

/** Rows that a thread adds up at least, and workgroups that fill a large card. */
const [ROWS_OF_A_THREAD, WORKGROUPS] = [8, 512];

/** What is summed: two numbers for each element, sums of which are taken down the columns. */
export interface Summands {
  /** the same for the same code */
  shaderKey: string;
  /** names of the tensors that it reads: the first is [rows, columns] */
  variableNames: string[];
  /** more uniforms, after `rows` and `columns` */
  uniforms?: string;
  /** WGSL that sets `first` and `second` from `row`, `column`, and `at`, the element's place in the first tensor */
  code: string;
}

/**
 * Sums down the columns of a matrix, of two numbers for each element: first Σ_r a[r, c] and Σ_r b[r, c] of blocks of
 * rows, in as many workgroups as fill a card, then of the blocks. Neighbouring threads read neighbouring columns, so
 * that nothing has to be transposed, as tfjs's own sums do it, which use a workgroup for each column.
 *
 * @param inputs as `summands` names them
 * @returns [2, blocks, columns], to be finished by `finishSums` or by what reads it, and to be disposed of
 */
export function columnSums(
  summands: Summands,
  inputs: TensorInfo[],
  [rows, columns]: readonly [number, number],
  uniforms: Uniforms,
  backend: WebgpuBackend,
): TensorInfo {
  // As many columns side by side as there are, up to 64, and the workgroup's other threads below them.
  const across = columns <= 16 ? 16 : columns <= 32 ? 32 : 64;
  const down = THREADS / across;
  const strips = Math.ceil(columns / across);
  const blocks = Math.max(1, Math.min(Math.ceil(rows / (down * ROWS_OF_A_THREAD)), Math.ceil(WORKGROUPS / strips)));
  const program: Program = {
    variableNames: summands.variableNames,
    outputShape: [2, blocks, columns],
    workgroupSize: [THREADS, 1, 1],
    dispatch: [blocks, strips, 1],
    dispatchLayout: { x: [1], y: [2] },
    uniforms: `rows : i32, columns : i32, blocks : i32, ${summands.uniforms ?? ""}`,
    shaderKey: `zooColumnSums_${summands.shaderKey}_${across}`,
    getUserCode: () => `
      var<workgroup> firsts : array<f32, ${THREADS}>;
      var<workgroup> seconds : array<f32, ${THREADS}>;

      fn main() {
        let thread = i32(localIndex);
        let block = i32(workgroupId.x);
        let column = i32(workgroupId.y) * ${across} + thread % ${across};
        let each = (uniforms.rows + uniforms.blocks - 1) / uniforms.blocks;
        let last = min((block + 1) * each, uniforms.rows);
        var sums = vec2<f32>(0.0);
        if (column < uniforms.columns) {
          for (var row = block * each + thread / ${across}; row < last; row += ${down}) {
            let at = row * uniforms.columns + column;
            var first : f32;
            var second : f32;
            ${summands.code}
            sums += vec2<f32>(first, second);
          }
        }
        firsts[thread] = sums.x;
        seconds[thread] = sums.y;
        workgroupBarrier();
        for (var half = ${THREADS / 2}; half >= ${across}; half /= 2) {
          if (thread < half) {
            firsts[thread] += firsts[thread + half];
            seconds[thread] += seconds[thread + half];
          }
          workgroupBarrier();
        }
        if (thread < ${across} && column < uniforms.columns) {
          result[block * uniforms.columns + column] = firsts[thread];
          result[(uniforms.blocks + block) * uniforms.columns + column] = seconds[thread];
        }
      }`,
  };
  const counts: Uniforms = [
    { type: "int32", data: [rows] },
    { type: "int32", data: [columns] },
    { type: "int32", data: [blocks] },
  ];
  return backend.runWebGPUProgram(program, inputs, "float32", [...counts, ...uniforms]);
}

/** How the sums of blocks become numbers for each column. */
export interface Finish {
  /** the same for the same code */
  shaderKey: string;
  /** names of further tensors [columns] */
  variableNames?: string[];
  uniforms?: string;
  /** what is written beside the result: shapes by names */
  written?: Written;
  /** WGSL that writes `result[column]` and the others from the sums `first` and `second`, and from `column` */
  code: string;
}

/**
 * Adds up what `columnSums` left.
 *
 * @param sums [2, blocks, columns], which is disposed of
 * @param inputs as `finish` names them
 * @returns [columns], and what else is written
 */
export function finishSums(
  { shaderKey, variableNames = [], uniforms = "", written = {}, code }: Finish,
  sums: TensorInfo,
  inputs: TensorInfo[],
  numbers: Uniforms,
  backend: WebgpuBackend,
): TensorInfo[] {
  const [, blocks, columns] = sums.shape;
  const program = elementwise(
    {
      variableNames: ["sums", ...variableNames],
      outputShape: [columns],
      uniforms: `blocks : i32, ${uniforms}`,
      shaderKey: `zooFinishSums_${shaderKey}`,
    },
    `let column = index;
        var first = 0.0;
        var second = 0.0;
        for (var block = 0; block < uniforms.blocks; block++) {
          first += sums[block * uniforms.size + column];
          second += sums[(uniforms.blocks + block) * uniforms.size + column];
        }
        ${code}`,
  );
  const all: Uniforms = [{ type: "int32", data: [blocks] }, ...numbers];
  const results = runWriting(program, [sums, ...inputs], written, all, backend);
  backend.disposeData(sums.dataId);
  return results;
}
