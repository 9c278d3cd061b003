import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { normalTensor, ops, randomStream, uniformTensor } from "@tfjs-zoo/models";
import { inBf16, numbersOf, toBf16 } from "@tfjs-zoo/models/kernels/tensorflow";
import { startBackend } from "@tfjs-zoo/training/node";
import { describe, expect, it } from "vitest";

/**
 * The gradient check's images are too small for what native kernels do with large ones: vectors of 16 channels, several
 * threads, blocks of rows. So they are compared with the plain compositions on `cpu` here, which the check covers.
 */
const native = await startBackend("tensorflow", { setup: false }).then(
  () => true,
  () => false,
);

/** Whether this processor multiplies bf16. */
const isTiled = () => tf.getKernel("ZooBiasedConvTranspose2D", "tensorflow") !== undefined;

const shapes = [
  [8, 20, 20, 16],
  [3, 17, 13, 32],
  [4, 16, 16, 64],
  [5, 11, 7, 48],
  [2, 30, 30, 20],
  [2, 9, 9, 130],
  [3, 7, 5, 36],
  [700, 64],
];

function values(shape: readonly number[], ...path: (string | number)[]): Float32Array {
  const random = randomStream("native-kernels", ...path, ...shape);
  return Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => random.normal());
}

/** An op's outputs and the gradients of Σ r y, on a backend, as plain numbers. */
async function measure(
  backend: string,
  op: Pick<ops.Op<ops.Tensors, object>, "all" | "gradients">,
  inputs: { [name: string]: { shape: readonly number[]; values: Float32Array | Int32Array } },
  attrs: object,
  within: <T>(body: () => T) => T = (body) => body(),
): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, values }]) => [name, tf.tensor(values, [...shape])]),
  );
  const outputs = within(() => op.all(tensors, attrs));
  const weights = tf.tensor(values(outputs[0].shape, "r"), outputs[0].shape);
  const moved = op.gradients.filter((name) => name in inputs);
  const gradients = within(() =>
    tf.grads((...given: tf.Tensor[]) => {
      const named = Object.fromEntries(moved.map((name, i) => [name, given[i]]));
      return tf.sum(tf.mul(op.all({ ...tensors, ...named }, attrs)[0], weights));
    })(moved.map((name) => tensors[name])),
  );
  const results = [...outputs, ...gradients].map((tensor) => tensor.dataSync() as Float32Array);
  tf.dispose([tensors, outputs, weights, gradients]);
  expect(tf.memory().numTensors).toBe(before);
  return results;
}

/** The same op with its tokens q, k and v rounded to bf16 first. */
function inHalves(op: ops.Op<ops.Tensors, object>): Pick<ops.Op<ops.Tensors, object>, "all" | "gradients"> {
  const rounded = tf.customGrad((x) => ({ value: toBf16(x as tf.Tensor), gradFunc: (dy: tf.Tensor) => tf.clone(dy) }));
  const all = ({ q, k, v, ...rest }: ops.Tensors, attrs?: object) =>
    tf.tidy(() => {
      const [Q, K, V] = [q, k, v].map((x) => rounded(x as tf.Tensor));
      return op.all({ q: Q, k: K, v: V, ...rest }, attrs);
    });
  return { gradients: op.gradients, all };
}

function expectClose(ours: Float32Array[], expected: Float32Array[], tolerance = 2e-5): void {
  expect(ours.length).toBe(expected.length);
  for (const [k, numbers] of expected.entries()) {
    const scale = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
    const worst = numbers.reduce((most, x, i) => Math.max(most, Math.abs(x - ours[k][i])), 0);
    expect(worst / scale, `result ${k}`).toBeLessThan(tolerance);
  }
}

const relu = { activation: "relu" };

describe.skipIf(!native)("native kernels agree with the compositions", () => {
  it.each(shapes.flatMap((shape) => [{}, relu].map((attrs) => ({ shape, attrs }))))(
    "batch norm $shape $attrs",
    async ({ shape, attrs }) => {
      const channels = [shape[shape.length - 1]];
      const inputs = {
        x: { shape, values: values(shape, "x").map((v, i) => 3 * v + (i % channels[0])) },
        gamma: { shape: channels, values: values(channels, "gamma") },
        beta: { shape: channels, values: values(channels, "beta") },
        runningMean: { shape: channels, values: values(channels, "mean") },
        runningVariance: { shape: channels, values: values(channels, "variance").map(Math.abs) },
      };
      const op = ops.batchNormTraining as unknown as ops.Op<ops.Tensors, object>;
      expectClose(await measure("tensorflow", op, inputs, attrs), await measure("cpu", op, inputs, attrs));
    },
  );

  it.each([...shapes, [100_003], [5]].flatMap((shape) => [{}, relu].map((attrs) => ({ shape, attrs }))))(
    "add $shape $attrs",
    async ({ shape, attrs }) => {
      const inputs = { a: { shape, values: values(shape, "a") }, b: { shape, values: values(shape, "b") } };
      const op = ops.add as unknown as ops.Op<ops.Tensors, object>;
      expectClose(await measure("tensorflow", op, inputs, attrs), await measure("cpu", op, inputs, attrs));
    },
  );

  it.each([...shapes, [5, 40]])("layer scale %s", async (...shape) => {
    const channels = [shape[shape.length - 1]];
    const inputs = {
      x: { shape, values: values(shape, "x") },
      gamma: { shape: channels, values: values(channels, "gamma") },
    };
    const op = ops.layerScale as unknown as ops.Op<ops.Tensors, object>;
    expectClose(await measure("tensorflow", op, inputs, {}), await measure("cpu", op, inputs, {}));
  });

  it.each([
    [
      [5, 7, 3],
      [5, 7, 3],
    ],
    [
      [5, 40, 9],
      [5, 1, 1],
    ],
    [
      [4, 3, 3, 20],
      [4, 1, 1, 20],
    ],
  ])("dropout of %j by a mask %j", async (shape, mask) => {
    const inputs = { x: { shape, values: values(shape, "x") }, mask: { shape: mask, values: values(mask, "mask") } };
    const op = ops.dropout as unknown as ops.Op<ops.Tensors, object>;
    expectClose(await measure("tensorflow", op, inputs, {}), await measure("cpu", op, inputs, {}));
  });

  it.each([...shapes, [100_003], [5]])("relu %s", async (...shape) => {
    const inputs = { x: { shape, values: values(shape, "x") } };
    const op = ops.relu as unknown as ops.Op<ops.Tensors, object>;
    expectClose(await measure("tensorflow", op, inputs, {}), await measure("cpu", op, inputs, {}));
  });

  it.each(
    [...shapes, [100_003], [5]].flatMap((shape) =>
      [{ name: "silu" as const }, { name: "leakyRelu" as const, attrs: { slope: 0.2 } }].map((given) => ({
        shape,
        ...given,
      })),
    ),
  )("$name of $shape", async ({ shape, name, attrs = {} }) => {
    const inputs = { x: { shape, values: values(shape, "x").map((v) => 3 * v) } };
    const op = ops[name] as unknown as ops.Op<ops.Tensors, object>;
    expectClose(await measure("tensorflow", op, inputs, attrs), await measure("cpu", op, inputs, attrs), 3e-6);
  });

  it.each([
    { shape: [8, 20, 20, 16], groups: 4, affine: true },
    { shape: [3, 17, 13, 32], groups: 32, affine: true },
    { shape: [2, 9, 9, 40], groups: 5, affine: true },
    { shape: [4, 65, 130], groups: 10, affine: true },
    { shape: [700, 64], groups: 8, affine: true },
    { shape: [3, 30, 30, 36], groups: 1, affine: false },
  ])("group norm of $shape, $groups groups", async ({ shape, groups, affine }) => {
    const channels = [shape[shape.length - 1]];
    const inputs = {
      x: { shape, values: values(shape, "x").map((v, i) => 3 * v + (i % 5)) },
      ...(affine && {
        gamma: { shape: channels, values: values(channels, "gamma") },
        beta: { shape: channels, values: values(channels, "beta") },
      }),
    };
    const op = ops.groupNorm as unknown as ops.Op<ops.Tensors, object>;
    expectClose(
      await measure("tensorflow", op, inputs, { groups }),
      await measure("cpu", op, inputs, { groups }),
      5e-6,
    );
  });

  it.each([
    { shape: [4, 8, 8, 32], kernel: [4, 4, 24, 32], attrs: { strides: 2, padding: 1 } },
    { shape: [2, 7, 5, 20], kernel: [3, 3, 40, 20], attrs: { strides: 2, padding: 1, outputPadding: 1 } },
    { shape: [3, 6, 9, 8], kernel: [2, 2, 5, 8], attrs: { strides: 3, outputPadding: 2 } }, // some pixels are the bias alone
    { shape: [16, 1, 1, 64], kernel: [4, 4, 32, 64], attrs: {} },
    { shape: [4, 7, 9, 20], kernel: [4, 4, 24, 20], attrs: { strides: 2, padding: 1 } },
    { shape: [5, 6, 7, 40], kernel: [3, 3, 16, 40], attrs: { padding: 1 } },
    { shape: [3, 7, 5, 33], kernel: [4, 4, 1, 33], attrs: { strides: 2, padding: 1 } }, // to few channels
    { shape: [2, 9, 8, 7], kernel: [5, 3, 3, 7], attrs: { strides: 3, padding: 2, outputPadding: 1 } },
  ])("transposed convolution of $shape by $kernel, $attrs", async ({ shape, kernel, attrs }) => {
    const bias = [kernel[2]];
    const inputs = {
      x: { shape, values: values(shape, "x") },
      filter: { shape: kernel, values: values(kernel, "w") },
      bias: { shape: bias, values: values(bias, "b") },
    };
    const op = ops.convTranspose2d as unknown as ops.Op<ops.Tensors, object>;
    expectClose(await measure("tensorflow", op, inputs, attrs), await measure("cpu", op, inputs, attrs));
  });

  it("images stay in bf16 through what draws them", async () => {
    await tf.setBackend("tensorflow");
    const x = tf.randomNormal([8, 8, 8, 32], 0, 1, "float32", 1);
    const backend = tf.backend() as unknown as Parameters<typeof numbersOf>[1];
    const kinds = inBf16(() =>
      tf.tidy(() => {
        const [filter, bias] = [tf.ones([4, 4, 16, 32]), tf.ones([16])];
        const larger = ops.convTranspose2d({ x, filter, bias }, { strides: 2, padding: 1 });
        const normed = ops.groupNorm({ x: larger }, { groups: 4 });
        const all = [larger, normed, ops.silu({ x: normed }), ops.leakyRelu({ x: normed }, { slope: 0.2 })];
        return all.map((each) => numbersOf(each, backend));
      }),
    );
    // Elsewhere there is no bf16.
    expect(new Set(kinds)).toEqual(new Set([isTiled() ? "bfloat16" : "float32"]));
    x.dispose();
  });

  it.each([
    [[8, 32, 32, 16], 2, 32],
    [[3, 7, 9, 5], 2, 12],
    [[2, 6, 6, 4], 3, 4],
    [[2, 5, 5, 3], 1, 8],
  ])("shortcut A %s, stride %s, to %s channels", async (shape, stride, channels) => {
    const inputs = { x: { shape, values: values(shape, "x") } };
    const op = ops.shortcutA as unknown as ops.Op<ops.Tensors, object>;
    const attrs = { stride, channels };
    expectClose(await measure("tensorflow", op, inputs, attrs), await measure("cpu", op, inputs, attrs));
  });

  it.each([
    [[8, 16, 16, 16], [3, 3, 16, 32], 2, 1],
    [[2, 15, 17, 8], [3, 3, 8, 16], 2, 1],
    [[2, 32, 32, 3], [7, 7, 3, 16], 2, 3],
    [[2, 12, 12, 8], [5, 5, 8, 8], 3, 2],
    [[2, 12, 12, 8], [3, 3, 8, 8], 1, 2],
    [[9, 32, 32, 16], [3, 3, 16, 16], 1, 1],
    [[5, 8, 8, 64], [3, 3, 64, 48], 1, 1],
    [[19, 2, 2, 24], [3, 3, 24, 40], 1, 1],
    [[3, 4, 4, 130], [1, 1, 130, 17], 1, 0],
    [[2, 16, 16, 32], [1, 1, 32, 64], 2, 0],
    [[2, 9, 9, 16], [1, 1, 16, 16], 1, 1],
    [[1, 45, 45, 3], [11, 11, 3, 24], 4, 2],
    [[1, 60, 90, 40], [3, 3, 40, 8], 1, 1],
    [[3, 5, 5, 200], [3, 3, 200, 136], 1, 1], // more sums than stay in a cache
    [[2, 7, 7, 96], [5, 5, 96, 80], 2, 2],
    [[4, 7, 9, 24], [3, 3, 24, 20], 1, 1],
    [[3, 9, 11, 20], [3, 3, 20, 33], 1, 0],
    [[3, 6, 6, 16], [3, 3, 16, 16], 1, 2],
    [[3, 15, 17, 17], [3, 3, 17, 30], 2, 1],
    [[4, 14, 14, 40], [4, 4, 40, 70], 2, 1],
    [[3, 13, 16, 16], [4, 4, 16, 24], 2, 0],
    [[2, 16, 16, 60], [4, 4, 60, 128], 2, 1], // more sums than threads have copies of
    [[9, 4, 4, 80], [3, 3, 80, 150], 1, 1], // many zeros between images
    [[3, 8, 8, 70], [4, 4, 70, 160], 2, 1],
  ])("convolution of %s by %s, stride %s, padding %s", async (shape, kernel, strides, padding) => {
    const inputs = { x: { shape, values: values(shape, "x") }, filter: { shape: kernel, values: values(kernel, "w") } };
    // Without the bias.
    const op = { gradients: ["x", "filter"], all: (i: ops.Tensors, a?: object) => ops.conv2d.all(i as never, a) };
    const attrs = { strides, padding };
    // Single precision: what is left to rounding is far below the limit of the others.
    const expected = await measure("cpu", op, inputs, attrs);
    expectClose(await measure("tensorflow", op, inputs, attrs), expected, 3e-6);
    expectClose(await measure("tensorflow", op, inputs, attrs, inBf16), expected, 2e-2);
  });

  it.each([
    { shape: [3, 9, 10, 20], kernel: [3, 3, 20, 24], attrs: { padding: 1 } },
    { shape: [4, 8, 8, 16], kernel: [4, 4, 16, 40], attrs: { strides: 2, padding: 1 } },
    { shape: [4, 8, 8, 16], kernel: [1, 1, 16, 40], attrs: {} },
  ])("convolution of $shape by $kernel, $attrs, with its bias, its ReLU too", async ({ shape, kernel, attrs }) => {
    const bias = [kernel[3]];
    const inputs = {
      x: { shape, values: values(shape, "x") },
      filter: { shape: kernel, values: values(kernel, "w") },
      bias: { shape: bias, values: values(bias, "b") },
    };
    const op = ops.conv2d as unknown as ops.Op<ops.Tensors, object>;
    for (const all of [attrs, { ...attrs, ...relu }]) {
      expectClose(await measure("tensorflow", op, inputs, all), await measure("cpu", op, inputs, all));
    }
  });

  it.each([
    [[3, 9, 8, 16], 2, 2, 0],
    [[2, 7, 9, 20], 3, 2, 1],
    [[2, 5, 6, 3], 2, 1, 1],
    [[2, 5, 6, 17], 2, 2, 2],
    [[2, 6, 6, 8], 2, 3, 0],
  ])("pools of %s, window %s, stride %s, padding %s", async (shape, poolSize, strides, padding) => {
    const inputs = { x: { shape, values: values(shape, "x") } };
    const attrs = { poolSize, strides, padding };
    for (const pool of [ops.maxPool2d, ops.avgPool2d]) {
      const op = pool as unknown as ops.Op<ops.Tensors, object>;
      expectClose(await measure("tensorflow", op, inputs, attrs), await measure("cpu", op, inputs, attrs));
    }
  });

  it.each([
    [128, 256, 512],
    [131, 300, 77],
    [1, 4096, 1000],
    [4099, 33, 16],
    [8, 1100, 513],
    [13, 5, 1],
    [70, 1, 3],
  ])("matrix products of %i x %i by %i, and transposed, in f32 and bf16", async (m, k, n) => {
    const given = (shape: number[], name: string) => ({ shape, values: values(shape, name) });
    const [a, b] = [given([m, k], "a"), given([k, n], "b")];
    const [at, bt] = [given([k, m], "at"), given([n, k], "bt")];
    const run = async (backend: string, within: <T>(body: () => T) => T = (body) => body()) => {
      await tf.setBackend(backend);
      const [A, B, At, Bt] = [a, b, at, bt].map(({ shape, values: v }) => tf.tensor2d(v, shape as [number, number]));
      const products = within(() => [tf.matMul(A, B), tf.matMul(A, Bt, false, true), tf.matMul(At, B, true, false)]);
      const results = products.map((product) => product.dataSync() as Float32Array);
      tf.dispose([A, B, At, Bt, products]);
      return results;
    };
    const expected = await run("cpu");
    expectClose(await run("tensorflow"), expected, 3e-6);
    expectClose(await run("tensorflow", inBf16), expected, 1e-2);
  });

  it.each([
    [[2100, 48], 64],
    [[130, 17, 40], 70],
    [[3, 20, 20, 24], 96],
    [[128, 300], 10],
    [[5, 3], 4],
  ])("dense layers of %s to %i, in f32 and bf16", async (shape, out) => {
    const kernel = [shape[shape.length - 1], out];
    const inputs = {
      x: { shape, values: values(shape, "x") },
      weight: { shape: kernel, values: values(kernel, "w") },
      bias: { shape: [out], values: values([out], "b") },
    };
    const op = ops.dense as unknown as ops.Op<ops.Tensors, object>;
    const expected = await measure("cpu", op, inputs, {});
    expectClose(await measure("tensorflow", op, inputs, {}), expected, 3e-6);
    expectClose(await measure("tensorflow", op, inputs, {}, inBf16), expected, 2e-2);
  });

  it.each([
    [700, 64],
    [3, 17, 130],
    [2, 9, 9, 40],
    [5, 768],
    [4099, 7],
  ])("layer norm of %s", async (...shape) => {
    const d = [shape[shape.length - 1]];
    const inputs = {
      x: { shape, values: values(shape, "x").map((v, i) => 3 * v + (i % 5)) },
      gamma: { shape: d, values: values(d, "gamma") },
      beta: { shape: d, values: values(d, "beta") },
    };
    const op = ops.layerNorm as unknown as ops.Op<ops.Tensors, object>;
    expectClose(await measure("tensorflow", op, inputs, {}), await measure("cpu", op, inputs, {}), 3e-6);
  });

  it.each([
    { shape: [2, 9, 8, 40], kernel: 7, multiplier: 1, attrs: { padding: 3 } },
    { shape: [2, 9, 11, 33], kernel: 3, multiplier: 1, attrs: { padding: 1, strides: 2 } },
    { shape: [4, 12, 10, 5], kernel: 3, multiplier: 3, attrs: { padding: [0, 2], dilation: 2, strides: [1, 2] } },
  ])("depthwise convolution of $shape, $kernel taps, $multiplier filters a channel, $attrs", async (given) => {
    const { shape, multiplier, attrs } = given;
    const kernel = [given.kernel, given.kernel, shape[3], multiplier];
    const bias = [shape[3] * multiplier];
    const inputs = {
      x: { shape, values: values(shape, "x") },
      filter: { shape: kernel, values: values(kernel, "w") },
      bias: { shape: bias, values: values(bias, "b") },
    };
    const op = ops.depthwiseConv2d as unknown as ops.Op<ops.Tensors, object>;
    expectClose(await measure("tensorflow", op, inputs, attrs), await measure("cpu", op, inputs, attrs), 3e-6);
  });

  it.each([
    { batch: 3, queries: 65, keys: 65, d: 96, heads: 3 },
    { batch: 2, queries: 7, keys: 33, d: 40, heads: 2 },
    { batch: 5, queries: 130, keys: 20, d: 64, heads: 1 },
    { batch: 1, queries: 1, keys: 300, d: 128, heads: 2 },
    { batch: 2, queries: 100, keys: 100, d: 64, heads: 2, causal: true },
    { batch: 3, queries: 60, keys: 170, d: 48, heads: 3, causal: true, bias: 3, lengths: [170, 90, 0] },
    { batch: 3, queries: 110, keys: 50, d: 32, heads: 2, causal: true, lengths: [50, 17, 1], dropout: [3, 2, 110, 50] },
    { batch: 2, queries: 70, keys: 70, d: 34, heads: 2, bias: 1, lengths: [33, 64], dropout: [2, 1, 70, 1] },
  ])("attention of %j, kept or lean, in f32 and bf16", async (given) => {
    const { batch, queries, keys, d, heads, causal, bias, lengths, dropout } = given;
    const normal = (shape: number[], name: string) => ({ shape, values: values(shape, name) });
    const tokens = (count: number, name: string) => normal([batch, count, d], name);
    const inputs = {
      ...{ q: tokens(queries, "q"), k: tokens(keys, "k"), v: tokens(keys, "v") },
      ...(lengths && { lengths: { shape: [batch], values: Int32Array.from(lengths) } }),
      ...(bias && { bias: normal([bias, queries, keys], "bias") }),
    };
    const factors = dropout && { shape: dropout, values: values(dropout, "m").map((z) => (z < -0.5 ? 0 : 1.5)) };
    const attrs = { heads, causal };
    const op = ops.attention as unknown as ops.Op<ops.Tensors, object>;
    const withDropout = { ...inputs, ...(factors && { dropout: factors }) };
    const expected = await measure("cpu", op, withDropout, attrs);
    expectClose(await measure("tensorflow", op, withDropout, attrs), expected, 3e-6);
    expectClose(await measure("tensorflow", inHalves(op), withDropout, attrs, inBf16), expected, 3e-2);

    const lean = ops.attentionLean as unknown as ops.Op<ops.Tensors, object>;
    const undropped = await measure("cpu", op, inputs, attrs);
    expectClose(await measure("tensorflow", lean, inputs, attrs), undropped, 3e-6);
    expectClose(await measure("cpu", lean, inputs, { ...attrs, blockSize: 32 }), undropped, 3e-6);
  });

  it.each([
    { batch: 37, time: 5, inSize: 20, d: 48 },
    { batch: 5, time: 7, inSize: 3, d: 37, lengths: [7, 1, 0, 4, 9] },
    { batch: 20, time: 4, inSize: 10, d: 100, lengths: Array.from({ length: 20 }, (_, i) => 1 + ((7 * i) % 4)) },
    { batch: 1, time: 9, inSize: 5, d: 130 },
    { batch: 150, time: 7, inSize: 12, d: 33 },
  ])("recurrent cells of $batch sequences of $time steps, $d units", async ({ batch, time, inSize, d, lengths }) => {
    const given = (shape: number[], name: string, factor = 1) => ({
      shape,
      values: values(shape, name).map((value) => factor * value),
    });
    const variants: [ops.Op<ops.Tensors, object>, number, object][] = [
      [ops.rnn, 1, { activation: "relu" }],
      [ops.rnn, 1, { reverse: true }],
      [ops.lstm, 4, {}],
      [ops.lstm, 3, { coupled: true, reverse: true }],
      [ops.gru, 3, { reverse: true }],
      [ops.gru, 3, { resetAfter: false }],
    ] as never;
    for (const [op, gates, attrs] of variants) {
      const inputs = {
        x: given([batch, time, inSize], "x"),
        weightIh: given([inSize, gates * d], "w", inSize ** -0.5),
        weightHh: given([d, gates * d], "u", 0.7 * d ** -0.5),
        biasIh: given([gates * d], "b"),
        biasHh: given([gates * d], "b′"),
        h0: given([batch, d], "h"),
        ...(op.opName === "Lstm" && { c0: given([batch, d], "c"), peephole: given([gates - 1, d], "p") }),
      };
      // All outputs in one, so that the gradients of all are taken.
      const whole = {
        gradients: Object.keys(inputs),
        all: (tensors: ops.Tensors, given?: object) =>
          tf.tidy(() => {
            const counts = lengths && tf.tensor1d(lengths, "int32");
            return [tf.concat(op.all({ ...tensors, lengths: counts }, given).map((y) => tf.reshape(y, [-1])))];
          }),
      };
      const expected = await measure("cpu", whole, inputs, attrs);
      expectClose(await measure("tensorflow", whole, inputs, attrs), expected, 5e-6);
      // In bf16 a sum near 0 may be on the other side of a ReLU.
      if (!("activation" in attrs)) {
        expectClose(await measure("tensorflow", whole, inputs, attrs, inBf16), expected, 3e-2);
      }
    }
  });

  it("attention of no images, and of no queries, is none", async () => {
    for (const [batch, queries] of [
      [0, 3],
      [2, 0],
    ]) {
      const shapes = { q: [batch, queries, 4], k: [batch, 3, 4], v: [batch, 3, 4] };
      const inputs = Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [name, { shape, values: values(shape, name) }]),
      );
      const op = ops.attention as unknown as ops.Op<ops.Tensors, object>;
      const [o, ...gradients] = await measure("tensorflow", op, inputs, { heads: 2 });
      expect(o).toHaveLength(0);
      for (const gradient of gradients) expect(gradient.every((g) => g === 0)).toBe(true);
    }
  });

  it("a dense layer after another keeps tokens in bf16", async ({ skip }) => {
    if (!isTiled()) skip();
    await tf.setBackend("tensorflow");
    const [x, w] = [tf.randomNormal([2, 1024, 64], 0, 1, "float32", 1), tf.randomNormal([64, 64], 0, 1, "float32", 2)];
    const before = tf.memory().numTensors;
    const backend = tf.backend() as unknown as Parameters<typeof numbersOf>[1];
    const kept = inBf16(() => tf.tidy(() => numbersOf(ops.gelu({ x: ops.dense({ x, weight: w }) }), backend)));
    expect(kept).toBe("bfloat16");
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, w]);
  });

  it.each([
    [7, 5],
    [33, 65],
    [300, 1000],
    [64, 8001],
  ])("cross-entropy of %i rows and %i classes, every third row of padding", async (rows, classes) => {
    const random = randomStream("labels", rows, classes);
    const labels = Int32Array.from({ length: rows }, (_, row) => (row % 3 === 2 ? -1 : random.integer(classes)));
    const shape = [rows, classes];
    for (const labelSmoothing of [0, 0.1]) {
      const results: Float32Array[][] = [];
      for (const backend of ["tensorflow", "cpu"]) {
        await tf.setBackend(backend);
        const given = tf.tensor2d(values(shape, "z"), [rows, classes]);
        const is = tf.tensor1d(labels, "int32");
        const loss = (logits: tf.Tensor) => ops.softmaxCrossEntropy({ logits, labels: is }, { labelSmoothing });
        results.push([loss(given), tf.grad(loss)(given)].map((tensor) => tensor.dataSync() as Float32Array));
        tf.dispose([given, is]);
      }
      expectClose(results[0], results[1]);
    }
  });

  it("cross-entropy refuses a label that is no class", async () => {
    await tf.setBackend("tensorflow");
    const logits = tf.zeros([2, 3]);
    expect(() => ops.softmaxCrossEntropy({ logits, labels: tf.tensor1d([0, 3], "int32") })).toThrow(/labels/);
  });

  describe("an optimizer's step", () => {
    const shapesOf: { [name: string]: number[][] } = {
      small: [[7], [], [2, 3]],
      "a block and more": [[3, 3, 100, 91], [1], [8192], [5]],
      "for several threads": [[400, 300], [70_001], [3], [65_536]],
    };

    async function compare(
      shapes: number[][],
      step: (given: { weights: tf.Tensor[]; gradients: tf.Tensor[]; m: tf.Tensor1D }) => tf.Tensor[],
    ) {
      const size = shapes.reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
      const results: Float32Array[][] = [];
      for (const backend of ["tensorflow", "cpu"]) {
        await tf.setBackend(backend);
        const before = tf.memory().numTensors;
        const tensors = (name: string) => shapes.map((shape, i) => tf.tensor(values(shape, `${name} ${i}`), shape));
        const given = { weights: tensors("weights"), gradients: tensors("g"), m: tf.tensor1d(values([size], "m")) };
        const next = tf.tidy(() => step(given));
        expect(next.slice(0, shapes.length).map(({ shape }) => shape)).toEqual(shapes);
        results.push(next.map((tensor) => tensor.dataSync() as Float32Array));
        tf.dispose([given, next]);
        expect(tf.memory().numTensors).toBe(before);
      }
      expectClose(results[0], results[1], 2e-6);
    }

    it.for([
      ["small", 0, false],
      ["a block and more", 0.1, false],
      ["for several threads", 0.1, true],
    ] as const)("of Adam: %s, decay %d, decoupled %s", async ([which, decay, decoupled]) => {
      const attrs = {
        learningRate: 0.01,
        beta1: 0.9,
        beta2: 0.98,
        epsilon: 1e-8,
        decay,
        decoupled,
        scale: 0.5,
        step: 3,
      };
      await compare(shapesOf[which], ({ weights, gradients, m }) => {
        const next = ops.adamUpdate({ weights, gradients, m, v: tf.square(m) }, attrs);
        return [...next.weights, next.m, next.v];
      });
    });

    it.for([
      ["small", 0, false],
      ["a block and more", 0.1, false],
      ["for several threads", 0.1, true],
    ] as const)("of SGD: %s, decay %d, Nesterov %s", async ([which, decay, nesterov]) => {
      const attrs = { learningRate: 0.1, decay, momentum: 0.9, nesterov, scale: 0.5 };
      await compare(shapesOf[which], ({ weights, gradients, m }) => {
        const next = ops.sgdUpdate({ weights, gradients, v: m }, attrs);
        return [...next.weights, next.v as tf.Tensor1D];
      });
    });
  });

  it.each([
    [5, 7, 3],
    [400, 65, 130],
    [1000, 300, 64],
  ])("an embedding's gradient: %i tokens, %i rows of %i", async (tokens, vocabulary, d) => {
    const random = randomStream("ids", tokens);
    const ids = Int32Array.from({ length: tokens }, () => random.integer(vocabulary));
    const results: Float32Array[][] = [];
    for (const backend of ["tensorflow", "cpu"]) {
      await tf.setBackend(backend);
      const table = tf.tensor2d(values([vocabulary, d], "e"), [vocabulary, d]);
      const weights = tf.tensor2d(values([tokens, d], "r"), [tokens, d]);
      const places = tf.tensor1d(ids, "int32");
      const gradient = tf.grad((e: tf.Tensor) => tf.sum(tf.mul(ops.embedding({ ids: places, table: e }), weights)))(
        table,
      );
      results.push([gradient.dataSync() as Float32Array]);
    }
    expectClose(results[0], results[1]);
  });

  it.each([[[5]], [[3, 40]], [[2, 33, 77]], [[64, 1000]]])(
    "draws the dropout mask of %j as it is drawn elsewhere",
    async (shape) => {
      const drawn: ArrayLike<number>[] = [];
      for (const backend of ["tensorflow", "cpu"]) {
        await tf.setBackend(backend);
        drawn.push(ops.dropoutMask(shape, 0.1, randomStream(7, "dropout", "name", 3)).dataSync());
      }
      expect(drawn[0]).toEqual(drawn[1]);
    },
  );

  it("attention keeps tokens in bf16, and so do cutting qkv and joining its gradient", async ({ skip }) => {
    if (!isTiled()) skip();
    await tf.setBackend("tensorflow");
    const qkv = tf.randomNormal([2, 40, 96], 0, 1, "float32", 1);
    const before = tf.memory().numTensors;
    const backend = tf.backend() as unknown as Parameters<typeof numbersOf>[1];
    const half = toBf16(qkv);
    const attended = (x: tf.Tensor) => {
      const [q, k, v] = tf.split(x, 3, -1);
      return ops.attention({ q, k, v }, { heads: 2 });
    };
    const kept = inBf16(() =>
      tf.tidy(() => [attended(half), tf.grad(attended)(half)].map((x) => numbersOf(x, backend))),
    );
    expect(kept).toEqual(["bfloat16", "bfloat16"]);
    half.dispose();
    expect(tf.memory().numTensors).toBe(before);
    qkv.dispose();
  });

  it("puts the channels of any number of tensors side by side, in f32 and bf16", async () => {
    const widths = [3, 24, 1, 16, 40];
    const run = async (backend: string, within: <T>(body: () => T) => T = (body) => body()) => {
      await tf.setBackend(backend);
      const parts = widths.map((channels) => {
        const shape = [3, 7, 5, channels];
        return tf.tensor(values(shape, "part"), shape);
      });
      const weights = tf.linspace(-1, 1, 84);
      const results = within(() =>
        tf.tidy(() => {
          const y = ops.concatAll(parts);
          const loss = (...xs: tf.Tensor[]) => tf.sum(tf.mul(ops.concatAll(xs), weights));
          return [y, ...tf.grads(loss)(parts)];
        }),
      );
      const numbers = results.map((result) => result.dataSync() as Float32Array);
      tf.dispose([parts, weights, results]);
      return numbers;
    };
    const expected = await run("cpu");
    expectClose(await run("tensorflow"), expected, 1e-6);
    expectClose(await run("tensorflow", inBf16), expected, 1e-2);
  });

  it.each(
    [[128, 28, 28, 1], [70, 1000], [33, 5, 7], [40_000], [3]].flatMap((shape) =>
      (["mean", "batchMean", "each", "none"] as const).map((reduction) => ({ shape, reduction })),
    ),
  )("sigmoid cross-entropy of $shape, $reduction", async ({ shape, reduction }) => {
    const inputs = {
      logits: { shape, values: values(shape, "logits").map((v, i) => (i % 7 === 0 ? 40 : 3) * v) },
      target: { shape, values: values(shape, "target").map((v) => 1 / (1 + Math.exp(-v))) },
    };
    const op = ops.sigmoidCrossEntropy as unknown as ops.Op<ops.Tensors, object>;
    expectClose(
      await measure("tensorflow", op, inputs, { reduction }),
      await measure("cpu", op, inputs, { reduction }),
      3e-6,
    );
  });

  it.each(
    [[128, 20], [700, 70], [3, 50, 33], [40]].flatMap((shape) =>
      (["each", "batchMean"] as const).map((reduction) => ({ shape, reduction })),
    ),
  )("divergence of normal distributions of $shape, $reduction", async ({ shape, reduction }) => {
    const names = ["mean", "logVariance", "priorMean", "priorLogVariance"];
    for (const given of [names.slice(0, 2), names.slice(0, 3), [...names.slice(0, 2), names[3]], names]) {
      const inputs = Object.fromEntries(given.map((name) => [name, { shape, values: values(shape, name) }]));
      const op = ops.gaussianKl as unknown as ops.Op<ops.Tensors, object>;
      expectClose(
        await measure("tensorflow", op, inputs, { reduction }),
        await measure("cpu", op, inputs, { reduction }),
        3e-6,
      );
    }
  });

  it.each([{ shape: [128, 20] }, { shape: [128, 1, 20] }, { shape: [64, 5, 50] }, { shape: [7, 3, 17] }])(
    "draws $shape",
    async ({ shape }) => {
      const [batch, d] = [shape[0], shape[shape.length - 1]];
      const inputs = {
        mean: { shape: [batch, d], values: values([batch, d], "mean") },
        logVariance: { shape: [batch, d], values: values([batch, d], "variance") },
        noise: { shape, values: values(shape, "noise") },
      };
      const op = ops.reparameterize as unknown as ops.Op<ops.Tensors, object>;
      expectClose(await measure("tensorflow", op, inputs, {}), await measure("cpu", op, inputs, {}), 3e-6);
    },
  );

  it.each([
    [3, 5],
    [129, 1, 20],
    [7, 33, 31],
    [0, 4],
  ])("random numbers [%i, %i, …] are those of every backend", async (...shape) => {
    const drawn = [];
    for (const backend of ["tensorflow", "cpu"]) {
      await tf.setBackend(backend);
      for (const draw of [uniformTensor, normalTensor]) {
        const numbers = draw(shape, randomStream(7, "draw", 3));
        drawn.push({ shape: numbers.shape, numbers: numbers.dataSync() });
        numbers.dispose();
      }
    }
    expect(drawn.slice(0, 2)).toEqual(drawn.slice(2));
  });

  it("the norm of some tensors", async () => {
    const shapes = [[300, 700], [1025], [], [3, 5]];
    const parts = shapes.map((shape) => values(shape, "norm"));
    const measured = [];
    for (const backend of ["tensorflow", "cpu"]) {
      await tf.setBackend(backend);
      const tensors = parts.map((part, i) => tf.tensor(part, shapes[i]));
      const norm = ops.norm(tensors);
      measured.push(norm.dataSync()[0]);
      tf.dispose([tensors, norm]);
    }
    const expected = Math.sqrt(parts.reduce((sum, part) => part.reduce((own, x) => own + x * x, sum), 0));
    for (const norm of measured) expect(norm / expected).toBeCloseTo(1, 5);
  });

  it("joins weights to one vector and splits it again", async () => {
    await tf.setBackend("tensorflow");
    const parts = [[3, 3, 2, 4], [4], [], [2, 5]].map((shape) => tf.tensor(values(shape, "part"), shape));
    const flat = ops.join(parts);
    expect([...flat.dataSync()]).toEqual(parts.flatMap((part) => [...part.dataSync()]));
    const back = ops.split(
      flat,
      parts.map(({ shape }) => shape),
    );
    for (const [i, part] of back.entries()) {
      expect(part.shape).toEqual(parts[i].shape);
      expect(part.dataSync()).toEqual(parts[i].dataSync());
    }
    tf.dispose([parts, flat, back]);
  });

  it("pass a NaN on", async () => {
    await tf.setBackend("tensorflow");
    const x = tf.tensor1d(Float32Array.from({ length: 40 }, (_, i) => (i === 3 || i === 38 ? Number.NaN : i - 20)));
    const y = ops.add({ a: x, b: x }, { activation: "relu" }).dataSync();
    expect([...y.keys()].filter((i) => Number.isNaN(y[i]))).toEqual([3, 38]);
    x.dispose();
  });
});
