import type { Program } from "./backend.ts";

/** Threads that share a row. */
export const SHARING = 64;
/** Workgroups in one direction, which every device takes. */
const MOST = 65_535;

/**
 * A program of a workgroup for each row. Its code has the row's number as `row` and the thread's as `thread`, and may
 * call `sumOfAll(thread, value)` and `largestOfAll(thread, value)`, which give every thread what all of them have.
 */
export function rowProgram(
  about: Pick<Program, "variableNames" | "outputShape" | "uniforms" | "shaderKey">,
  rows: number,
  body: string,
): Program {
  const down = Math.ceil(rows / MOST);
  const across = Math.ceil(rows / down);
  // Of more rows the last workgroups may do the last row once more, since barriers are for all threads or none.
  const [key, last] = down === 1 ? ["", ""] : [`_${rows}`, `row = min(row, ${rows - 1});`];
  return {
    ...about,
    workgroupSize: [SHARING, 1, 1],
    dispatch: [across, down, 1],
    dispatchLayout: { x: about.outputShape.map((_, axis) => axis) },
    shaderKey: about.shaderKey + key,
    getUserCode: () => `
      var<workgroup> held : array<f32, ${SHARING}>;

      ${reduction("sumOfAll", "held[thread] + held[thread + apart]")}
      ${reduction("largestOfAll", "max(held[thread], held[thread + apart])")}

      fn main(index : i32) {
        let thread = i32(localIndex);
        var row = index / ${SHARING};
        ${last}
        ${body}
      }`,
  };
}

/** A function of one number of each thread, whose value all threads get. */
const reduction = (name: string, both: string) => `
      fn ${name}(thread : i32, value : f32) -> f32 {
        held[thread] = value;
        workgroupBarrier();
        for (var apart = ${SHARING / 2}; apart > 0; apart /= 2) {
          if (thread < apart) {
            held[thread] = ${both};
          }
          workgroupBarrier();
        }
        let all = held[0];
        workgroupBarrier();
        return all;
      }`;
