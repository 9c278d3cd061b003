import { registerWebgpu } from "./backend.ts";
import { columnSums, finishSums } from "./column-sums.ts";

/** Sums over all axes but the last, as gradients of biases are: tfjs's own kernel transposes first. */
export function registerSumChannels(): void {
  registerWebgpu("ZooSumChannels", ({ inputs: { x }, backend }) => {
    const columns = x.shape[x.shape.length - 1];
    const rows = x.shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const sums = columnSums(itself, [x], [rows, columns], [], backend);
    return finishSums(total, sums, [], [], backend);
  });
}

const total = { shaderKey: "first", code: "result[column] = first;" };
const itself = { shaderKey: "itself", variableNames: ["x"], code: "first = x[at];" };
