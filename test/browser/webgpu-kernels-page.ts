/** Runs in a page: ops at sizes that take every way through the kernels for WebGPU, beside the composition on `cpu`. */
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { ops, randomStream } from "@tfjs-zoo/models";
import { registerWebgpuKernels } from "@tfjs-zoo/models/kernels/webgpu";

/** Values and gradients by name. */
type Results = { [name: string]: tf.Tensor };
type Numbers = { [name: string]: Float32Array };

/** An op on data that is the same wherever it runs. */
type Case = (random: (shape: number[], mean?: number) => tf.Tensor) => Results;

/** The op's value and the gradients of Σ r y for the inputs that have one. */
function valueAndGradients(
  inputs: { [name: string]: tf.Tensor },
  r: (y: tf.Tensor) => tf.Tensor,
  op: (given: { [name: string]: tf.Tensor }) => tf.Tensor,
): Results {
  const names = Object.keys(inputs);
  const loss = (...given: tf.Tensor[]) => {
    const y = op(Object.fromEntries(names.map((name, i) => [name, given[i]])));
    return tf.sum(tf.mul(y, r(y))) as tf.Scalar;
  };
  const gradients = tf.grads(loss)(Object.values(inputs));
  return { y: op(inputs), ...Object.fromEntries(names.map((name, i) => [`gradient of ${name}`, gradients[i]])) };
}

const batchNorm =
  (shape: number[], activation: "relu" | undefined, mean: number): Case =>
  (random) => {
    const channels = [shape[shape.length - 1]];
    const [x, gamma, beta, r] = [random(shape, mean), random(channels, 1), random(channels), random(shape)];
    const [runningMean, runningVariance] = [random(channels), random(channels, 2)];
    const given = { runningMean, runningVariance };
    const results = valueAndGradients(
      { x, gamma, beta },
      () => r,
      (inputs) =>
        ops.batchNormTraining(
          { ...(inputs as { x: tf.Tensor; gamma: tf.Tensor; beta: tf.Tensor }), ...given },
          { activation },
        ),
    );
    const [, newMean, newVariance] = ops.batchNormTraining.all({ x, gamma, beta, ...given }, { activation });
    return { ...results, newMean, newVariance };
  };

const convolution =
  (shape: number[], filter: number[], attrs: { strides?: number; padding?: number }): Case =>
  (random) => {
    const [x, w, bias] = [random(shape), random(filter), random([filter[3]])];
    return valueAndGradients(
      { x, filter: w, bias },
      (y) => random(y.shape),
      ({ x, filter, bias }) => ops.conv2d({ x, filter, bias }, attrs),
    );
  };

const crossEntropy =
  (rows: number, classes: number, labelSmoothing: number): Case =>
  (random) => {
    const labels = tf.tensor1d(
      Array.from({ length: rows }, (_, row) => (row % 5 === 3 ? -1 : (row * 7) % classes)),
      "int32",
    );
    return valueAndGradients(
      { logits: random([rows, classes], 3) },
      () => tf.scalar(2),
      ({ logits }) => ops.softmaxCrossEntropy({ logits, labels }, { labelSmoothing }),
    );
  };

const residual =
  (shape: number[], activation: "relu" | undefined): Case =>
  (random) => {
    const [a, b, r] = [random(shape), random(shape), random(shape)];
    return valueAndGradients(
      { a, b },
      () => r,
      ({ a, b }) => ops.add({ a, b }, { activation }),
    );
  };

const sgd =
  (shapes: number[][], attrs: { nesterov: boolean; decay: number }): Case =>
  (random) => {
    const [weights, gradients] = [shapes.map((shape) => random(shape)), shapes.map((shape) => random(shape))];
    const size = shapes.reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
    const v = random([size]) as tf.Tensor1D;
    const after = ops.sgdUpdate({ weights, gradients, v }, { learningRate: 0.1, momentum: 0.9, scale: 0.5, ...attrs });
    return {
      ...Object.fromEntries(after.weights.map((weight, i) => [`weight ${i}`, weight])),
      v: after.v as tf.Tensor,
    };
  };

const adam =
  (shapes: number[][], attrs: { decoupled: boolean; decay: number }): Case =>
  (random) => {
    const [weights, gradients] = [shapes.map((shape) => random(shape)), shapes.map((shape) => random(shape))];
    const size = shapes.reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
    const [m, v] = [random([size]), tf.abs(random([size]))] as [tf.Tensor1D, tf.Tensor1D];
    const numbers = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, scale: 0.5, step: 3 };
    const after = ops.adamUpdate({ weights, gradients, m, v }, { ...numbers, ...attrs });
    return {
      ...Object.fromEntries(after.weights.map((weight, i) => [`weight ${i}`, weight])),
      m: after.m,
      v: after.v,
    };
  };

const layerNorm =
  (shape: number[], mean: number): Case =>
  (random) => {
    const d = [shape[shape.length - 1]];
    const r = random(shape);
    return valueAndGradients(
      { x: random(shape, mean), gamma: random(d, 1), beta: random(d) },
      () => r,
      ({ x, gamma, beta }) => ops.layerNorm({ x, gamma, beta }),
    );
  };

const gelu =
  (approximation: "none" | "tanh"): Case =>
  (random) => {
    const r = random([40, 50]);
    return valueAndGradients(
      { x: tf.mul(random([40, 50]), 4) },
      () => r,
      ({ x }) => ops.gelu({ x }, { approximation }),
    );
  };

const cases: { [name: string]: Case } = {
  "batch norm of 12 channels": batchNorm([16, 9, 9, 12], undefined, 0),
  "batch norm of 20 channels and ReLU": batchNorm([32, 9, 7, 20], "relu", 0.5),
  "batch norm of 70 channels, far from 0": batchNorm([3, 5, 5, 70], "relu", 50),
  "batch norm of a matrix": batchNorm([40, 33], undefined, 0),
  "convolution of 3 channels": convolution([8, 16, 16, 3], [3, 3, 3, 16], { padding: 1 }),
  "convolution into 70 channels, stride 2": convolution([4, 17, 15, 5], [3, 3, 5, 70], { strides: 2, padding: 1 }),
  "convolution of 5x5 into 40 channels": convolution([2, 12, 12, 6], [5, 5, 6, 40], {}),
  "convolution of 1x1": convolution([8, 10, 10, 7], [1, 1, 7, 9], {}),
  "convolution of 200 rows": convolution([1, 6, 6, 24], [3, 3, 24, 4], { padding: 1 }),
  "cross-entropy of many classes": crossEntropy(70, 300, 0),
  "cross-entropy of few, smoothed": crossEntropy(300, 10, 0.1),
  residual: residual([4, 9, 9, 5], undefined),
  "residual and ReLU": residual([4, 9, 9, 5], "relu"),
  "layer norm of long rows": layerNorm([6, 7, 300], 3),
  "layer norm of many short rows": layerNorm([70_000, 6], 0),
  GELU: gelu("none"),
  "GELU, approximated": gelu("tanh"),
  "Adam on three weights": adam([[3, 50], [50], []], { decoupled: false, decay: 0.01 }),
  "AdamW on two weights": adam([[300], [7, 7]], { decoupled: true, decay: 0.01 }),
  "SGD on two weights": sgd([[3, 3, 5, 20], [20]], { nesterov: false, decay: 0.01 }),
  "SGD on five weights": sgd([[30], [7, 7], [], [3, 200], [5]], { nesterov: true, decay: 0 }),
};

async function run(body: Case, backend: string): Promise<{ numbers: Numbers; left: number; programs: number }> {
  await tf.setBackend(backend);
  const before = [tf.memory().numTensors, tf.engine().backend.numDataIds()];
  const count = countPrograms();
  const stream = randomStream(1);
  const random = (shape: number[], mean = 0) =>
    tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => mean + stream.normal()),
      shape,
    );
  const results = tf.tidy(() => body(random)) as Results;
  const programs = count();
  const numbers: Numbers = {};
  for (const [name, tensor] of Object.entries(results)) numbers[name] = (await tensor.data()) as Float32Array;
  tf.dispose(results);
  const after = [tf.memory().numTensors, tf.engine().backend.numDataIds()];
  return { numbers, left: after[0] - before[0] + after[1] - before[1], programs };
}

/** Counts what the backend in use runs. @returns a function that ends the count, and tells it */
function countPrograms(): () => number {
  const backend = tf.engine().backend as unknown as { runWebGPUProgram?(...args: unknown[]): unknown };
  const run = backend.runWebGPUProgram;
  let programs = 0;
  if (run !== undefined) {
    backend.runWebGPUProgram = (...args) => {
      programs++;
      return run.apply(backend, args);
    };
  }
  return () => {
    if (run !== undefined) backend.runWebGPUProgram = run;
    return programs;
  };
}

/** The largest difference of two, beside the largest number of either. */
function difference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let [most, largest] = [0, 1e-6];
  for (const [i, value] of a.entries()) {
    const off = Math.abs(value - b[i]);
    if (!(off <= most)) most = off;
    largest = Math.max(largest, Math.abs(value), Math.abs(b[i]));
  }
  return most / largest;
}

export interface Found {
  name: string;
  what: string;
  error: number;
  left: number;
  /** that the case ran on the card */
  programs: number;
  /** shaders that were compiled when the case ran for the second time */
  compiled: number;
}

async function all(): Promise<Found[]> {
  registerWebgpuKernels();
  const found: Found[] = [];
  for (const [name, body] of Object.entries(cases)) {
    const expected = await run(body, "cpu");
    const { numbers, left, programs } = await run(body, "webgpu");
    const { device } = tf.engine().backend as unknown as { device: GPUDevice };
    let compiled = 0;
    const { createShaderModule } = device;
    device.createShaderModule = (descriptor) => {
      compiled++;
      return createShaderModule.call(device, descriptor);
    };
    await run(body, "webgpu");
    device.createShaderModule = createShaderModule;
    for (const what of Object.keys(expected.numbers)) {
      found.push({ name, what, left, programs, compiled, error: difference(numbers[what], expected.numbers[what]) });
    }
  }
  return found;
}

Object.assign(globalThis, { all });
