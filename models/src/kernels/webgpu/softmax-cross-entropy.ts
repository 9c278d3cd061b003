import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { SoftmaxCrossEntropyAttrs } from "../../ops/softmax-cross-entropy.ts";
import { elementwise, registerWebgpu, type Uniforms, type WebgpuBackend } from "./backend.ts";
import { rowProgram, SHARING } from "./row-program.ts";

/**
 * Cross-entropy of softmax probabilities, of the formulas in ops/softmax-cross-entropy.ts: a workgroup for each row, and
 * nothing of the size of the logits but the gradient.
 */
export function registerSoftmaxCrossEntropy(): void {
  registerWebgpu<SoftmaxCrossEntropyAttrs>("ZooSoftmaxCrossEntropy", ({ inputs, attrs, backend }) => {
    const { logits, labels } = inputs;
    const [rows, classes] = logits.shape;
    const numbers = numbersOf(classes, attrs);
    const logSum = backend.runWebGPUProgram(logSumProgram(rows), [logits], "float32", numbers.slice(0, 1));
    const losses = backend.runWebGPUProgram(lossProgram(rows), [logits, labels, logSum], "float32", numbers);
    const loss = backend.runWebGPUProgram(meanProgram(), [losses, labels], "float32", [
      { type: "int32", data: [rows] },
    ]);
    backend.disposeData(losses.dataId);
    return [{ ...loss, shape: [] }, logits, labels, logSum];
  });

  registerWebgpu<SoftmaxCrossEntropyAttrs>("ZooSoftmaxCrossEntropyGrad", ({ inputs, attrs, backend }) => {
    const { dy, logits, labels, logSum } = inputs;
    const [rows, classes] = logits.shape;
    const number = numberOfRows(labels, rows, backend);
    const program = elementwise(
      {
        variableNames: ["dy", "logits", "labels", "logSum", "number"],
        outputShape: logits.shape,
        uniforms: "classes : i32, smoothing : f32,",
        shaderKey: "zooSoftmaxCrossEntropyGrad",
      },
      `let row = index / uniforms.classes;
        let label = labels[row];
        let p = exp(logits[index] - logSum[row]);
        let hit = select(0.0, 1.0 - uniforms.smoothing, label == index % uniforms.classes);
        let q = hit + uniforms.smoothing / f32(uniforms.classes);
        setOutputAtIndex(index, select(0.0, (p - q) * dy[0] / number[0], label >= 0));`,
    );
    const tensors = [dy, logits, labels, logSum, number];
    const dlogits = backend.runWebGPUProgram(program, tensors, "float32", numbersOf(classes, attrs));
    backend.disposeData(number.dataId);
    return [dlogits];
  });
}

const numbersOf = (classes: number, { labelSmoothing = 0 }: SoftmaxCrossEntropyAttrs): Uniforms => [
  { type: "int32", data: [classes] },
  { type: "float32", data: [labelSmoothing] },
];

/** log Σ_k exp z_k of each row: [rows, 1] */
const logSumProgram = (rows: number) =>
  rowProgram(
    {
      variableNames: ["logits"],
      outputShape: [rows, 1],
      uniforms: "classes : i32,",
      shaderKey: "zooLogSum",
    },
    rows,
    `let begin = row * uniforms.classes;
        var most = -3.4e38;
        for (var k = thread; k < uniforms.classes; k += ${SHARING}) {
          most = max(most, logits[begin + k]);
        }
        let largest = largestOfAll(thread, most);
        var sum = 0.0;
        for (var k = thread; k < uniforms.classes; k += ${SHARING}) {
          sum += exp(logits[begin + k] - largest);
        }
        let total = sumOfAll(thread, sum);
        if (thread == 0) {
          setOutputAtIndex(row, log(total) + largest);
        }`,
  );

/** −Σ_k q_k log p_k of each row, 0 where it has no label: [rows] */
const lossProgram = (rows: number) =>
  rowProgram(
    {
      variableNames: ["logits", "labels", "logSum"],
      outputShape: [rows],
      uniforms: "classes : i32, smoothing : f32,",
      shaderKey: "zooCrossEntropy",
    },
    rows,
    `let begin = row * uniforms.classes;
        var sum = 0.0;
        for (var k = thread; k < uniforms.classes; k += ${SHARING}) {
          sum += logits[begin + k] - logSum[row];
        }
        let total = sumOfAll(thread, sum);
        if (thread == 0) {
          let label = labels[row];
          let hit = (1.0 - uniforms.smoothing) * (logits[begin + max(label, 0)] - logSum[row]);
          let even = uniforms.smoothing / f32(uniforms.classes) * total;
          setOutputAtIndex(row, select(0.0, -(hit + even), label >= 0));
        }`,
  );

/** Counts the labels that are not −1. */
const COUNTED = `
        var mine = 0.0;
        for (var k = thread; k < uniforms.rows; k += ${SHARING}) {
          mine += select(0.0, 1.0, labels[k] >= 0);
        }
        let number = max(sumOfAll(thread, mine), 1.0);`;

/** The mean of the losses of the rows that have a label: [1] */
const meanProgram = () =>
  rowProgram(
    {
      variableNames: ["losses", "labels"],
      outputShape: [1],
      uniforms: "rows : i32,",
      shaderKey: "zooMeanLoss",
    },
    1,
    `${COUNTED}
        var sum = 0.0;
        for (var k = thread; k < uniforms.rows; k += ${SHARING}) {
          sum += losses[k];
        }
        let total = sumOfAll(thread, sum);
        if (thread == 0) {
          setOutputAtIndex(0, total / number);
        }`,
  );

/** How many rows have a label, or 1: [1] */
function numberOfRows(labels: TensorInfo, rows: number, backend: WebgpuBackend): TensorInfo {
  const program = rowProgram(
    { variableNames: ["labels"], outputShape: [1], uniforms: "rows : i32,", shaderKey: "zooCountLabels" },
    1,
    `${COUNTED}
        if (thread == 0) {
          setOutputAtIndex(0, number);
        }`,
  );
  return backend.runWebGPUProgram(program, [labels], "float32", [{ type: "int32", data: [rows] }]);
}
