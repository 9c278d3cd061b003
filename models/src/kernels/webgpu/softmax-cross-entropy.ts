import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { SoftmaxCrossEntropyAttrs } from "../../ops/softmax-cross-entropy.ts";
import { elementwise, type Program, registerWebgpu, type Uniforms, type WebgpuBackend } from "./backend.ts";

/** Threads that share a row. */
const SHARING = 64;

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
    const loss = backend.runWebGPUProgram(meanProgram, [losses, labels], "float32", [{ type: "int32", data: [rows] }]);
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

/** A program of a workgroup for each element of its output. Its threads add up, or compare, what they hold. */
function rowProgram(
  about: Pick<Program, "variableNames" | "outputShape" | "uniforms" | "shaderKey">,
  body: string,
): Program {
  return {
    ...about,
    size: true,
    workgroupSize: [SHARING, 1, 1],
    dispatch: [about.outputShape[0], 1, 1],
    dispatchLayout: { x: about.outputShape.map((_, axis) => axis) },
    getUserCode: () => `
      var<workgroup> held : array<f32, ${SHARING}>;

      ${reduction("sumOfAll", "held[thread] + held[thread + apart]")}
      ${reduction("largestOfAll", "max(held[thread], held[thread + apart])")}

      fn main(index : i32) {
        let thread = i32(localIndex);
        let row = index / ${SHARING};
        let exists = row < uniforms.size;
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

/** log Σ_k exp z_k of each row: [rows, 1] */
const logSumProgram = (rows: number): Program =>
  rowProgram(
    {
      variableNames: ["logits"],
      outputShape: [rows, 1],
      uniforms: "classes : i32,",
      shaderKey: "zooLogSum",
    },
    `let begin = row * uniforms.classes;
        var most = -3.4e38;
        for (var k = thread; exists && k < uniforms.classes; k += ${SHARING}) {
          most = max(most, logits[begin + k]);
        }
        let largest = largestOfAll(thread, most);
        var sum = 0.0;
        for (var k = thread; exists && k < uniforms.classes; k += ${SHARING}) {
          sum += exp(logits[begin + k] - largest);
        }
        let total = sumOfAll(thread, sum);
        if (exists && thread == 0) {
          setOutputAtIndex(row, log(total) + largest);
        }`,
  );

/** −Σ_k q_k log p_k of each row, 0 where it has no label: [rows] */
const lossProgram = (rows: number): Program =>
  rowProgram(
    {
      variableNames: ["logits", "labels", "logSum"],
      outputShape: [rows],
      uniforms: "classes : i32, smoothing : f32,",
      shaderKey: "zooCrossEntropy",
    },
    `let begin = row * uniforms.classes;
        var sum = 0.0;
        for (var k = thread; exists && k < uniforms.classes; k += ${SHARING}) {
          sum += logits[begin + k] - logSum[row];
        }
        let total = sumOfAll(thread, sum);
        if (exists && thread == 0) {
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
const meanProgram: Program = rowProgram(
  {
    variableNames: ["losses", "labels"],
    outputShape: [1],
    uniforms: "rows : i32,",
    shaderKey: "zooMeanLoss",
  },
  `${COUNTED}
        var sum = 0.0;
        for (var k = thread; k < uniforms.rows; k += ${SHARING}) {
          sum += losses[k];
        }
        let total = sumOfAll(thread, sum);
        if (exists && thread == 0) {
          setOutputAtIndex(0, total / number);
        }`,
);

/** How many rows have a label, or 1: [1] */
function numberOfRows(labels: TensorInfo, rows: number, backend: WebgpuBackend): TensorInfo {
  const program = rowProgram(
    { variableNames: ["labels"], outputShape: [1], uniforms: "rows : i32,", shaderKey: "zooCountLabels" },
    `${COUNTED}
        if (exists && thread == 0) {
          setOutputAtIndex(0, number);
        }`,
  );
  return backend.runWebGPUProgram(program, [labels], "float32", [{ type: "int32", data: [rows] }]);
}
