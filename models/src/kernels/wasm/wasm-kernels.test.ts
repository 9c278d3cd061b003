import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { type ConvAttrs, convInfo, type Pad } from "../conv-info.ts";
import { registerWasmKernels } from "./index.ts";

beforeAll(async () => {
  const folder = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json"));
  setWasmPaths(join(folder, "dist") + sep);
  setThreadsCount(1);
  registerWasmKernels();
  await tf.setBackend("wasm");
});

let state = 1;
/** Numbers in [-1.5, 0.5): most windows of a max pooling have a negative maximum. */
function random(...shape: number[]): tf.Tensor {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 2 - 1.5;
  });
  return tf.tensor(values, shape);
}

function zeros(shape: number[]): Float64Array {
  return new Float64Array(tf.util.sizeFromShape(shape));
}

/** Sums in the tests are of a few hundred products below 3: single precision stays well within this. */
const tolerance = 2e-5;

function expectClose(actual: tf.Tensor, expected: ArrayLike<number>, shape: number[]): void {
  expect(actual.shape).toEqual(shape);
  const values = actual.dataSync();
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(values[i] - expected[i]));
  expect(Number.isFinite(worst)).toBe(true);
  expect(worst).toBeLessThan(tolerance);
}

/** Runs a kernel and checks that what it made beside its result is gone again. */
function kernel(name: string, inputs: Record<string, tf.Tensor>, attrs: object): tf.Tensor {
  const tensors = tf.memory().numTensors;
  const ids = tf.engine().backend.numDataIds();
  const result: tf.Tensor = tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap);
  expect(tf.memory().numTensors).toBe(tensors + 1);
  expect(tf.engine().backend.numDataIds()).toBe(ids + 1);
  return result;
}

type Visit = (xAt: number, wAt: number, yAt: number) => void;

/** Calls back with the flat positions of every product x w that a convolution adds to y. */
function eachProduct(xShape: number[], wShape: number[], attrs: ConvAttrs, depthwise: boolean, visit: Visit) {
  const info = convInfo(xShape, wShape, attrs, depthwise);
  const [kh, kw, channels, filters] = wShape;
  for (let n = 0; n < info.batchSize; n++)
    for (let i = 0; i < info.outHeight; i++)
      for (let j = 0; j < info.outWidth; j++)
        for (let u = 0; u < kh; u++)
          for (let v = 0; v < kw; v++) {
            const a = i * info.strideHeight + u * info.dilationHeight - info.padInfo.top;
            const b = j * info.strideWidth + v * info.dilationWidth - info.padInfo.left;
            if (a < 0 || b < 0 || a >= info.inHeight || b >= info.inWidth) continue;
            for (let c = 0; c < channels; c++)
              for (let o = 0; o < filters; o++) {
                const xAt = ((n * info.inHeight + a) * info.inWidth + b) * channels + c;
                const wAt = ((u * kw + v) * channels + c) * filters + o;
                const y = (n * info.outHeight + i) * info.outWidth + j;
                visit(xAt, wAt, depthwise ? (y * channels + c) * filters + o : y * filters + o);
              }
          }
  return info.outShape as number[];
}

interface Case {
  size: [number, number];
  window: [number, number];
  strides: [number, number];
  pad: Pad;
  dilations: [number, number];
}

const paddings: Pad[] = ["same", "valid", 1];
paddings.push([
  [0, 0],
  [2, 1],
  [0, 3],
  [0, 0],
]);

const cases: Case[] = [];
for (const size of [
  [5, 6],
  [8, 7],
] as [number, number][])
  for (const window of [
    [1, 1],
    [2, 2],
    [3, 3],
    [3, 1],
    [5, 4],
  ] as [number, number][])
    for (const strides of [
      [1, 1],
      [2, 2],
      [3, 3],
      [1, 2],
    ] as [number, number][])
      for (const pad of paddings) cases.push({ size, window, strides, pad, dilations: [1, 1] });
const dilated: Case[] = paddings.flatMap((pad) =>
  (
    [
      [2, 2],
      [1, 3],
    ] as [number, number][]
  ).map((dilations): Case => ({ size: [9, 8], window: [3, 2], strides: [1, 1], pad, dilations })),
);
const title = (c: Case) => `${c.size} by ${c.window}, strides ${c.strides}, padding ${c.pad}, dilation ${c.dilations}`;

describe("convolutions of wasm", () => {
  it.each(cases.map((c) => [title(c), c] as const))("dense: %s", (_title, { size, window, ...attrs }) => {
    tf.tidy(() => {
      const x = random(2, ...size, 4);
      const filter = random(...window, 4, 3);
      const conv = { ...attrs, dataFormat: "NHWC" };
      const [xs, ws] = [x.dataSync(), filter.dataSync()];
      const outShape = convInfo(x.shape, filter.shape, attrs).outShape as number[];
      const dy = random(...outShape);
      const dys = dy.dataSync();
      const [y, dx, dw] = [zeros(outShape), zeros(x.shape), zeros(filter.shape)];
      eachProduct(x.shape, filter.shape, attrs, false, (xAt, wAt, yAt) => {
        y[yAt] += xs[xAt] * ws[wAt];
        dx[xAt] += dys[yAt] * ws[wAt];
        dw[wAt] += dys[yAt] * xs[xAt];
      });
      expectClose(kernel(tf.Conv2D, { x, filter }, conv), y, outShape);
      const forInput = { ...conv, inputShape: x.shape };
      expectClose(kernel(tf.Conv2DBackpropInput, { dy, filter }, forInput), dx, x.shape);
      const forFilter = { ...conv, filterShape: filter.shape };
      expectClose(kernel(tf.Conv2DBackpropFilter, { x, dy }, forFilter), dw, filter.shape);
    });
  });

  it.each([1, 2].flatMap((m) => [...cases, ...dilated].map((c) => [`${m} a channel, ${title(c)}`, m, c] as const)))(
    "depthwise: %s",
    (_title, multiplier, { size, window, ...attrs }) => {
      tf.tidy(() => {
        const x = random(2, ...size, 3);
        const filter = random(...window, 3, multiplier);
        const [xs, ws] = [x.dataSync(), filter.dataSync()];
        const outShape = convInfo(x.shape, filter.shape, attrs, true).outShape as number[];
        const dy = random(...outShape);
        const dys = dy.dataSync();
        const [y, dx, dw] = [zeros(outShape), zeros(x.shape), zeros(filter.shape)];
        eachProduct(x.shape, filter.shape, attrs, true, (xAt, wAt, yAt) => {
          y[yAt] += xs[xAt] * ws[wAt];
          dx[xAt] += dys[yAt] * ws[wAt];
          dw[wAt] += dys[yAt] * xs[xAt];
        });
        expectClose(kernel(tf.DepthwiseConv2dNative, { x, filter }, attrs), y, outShape);
        const forInput = { ...attrs, inputShape: x.shape };
        expectClose(kernel(tf.DepthwiseConv2dNativeBackpropInput, { dy, filter }, forInput), dx, x.shape);
        const forFilter = { ...attrs, filterShape: filter.shape };
        expectClose(kernel(tf.DepthwiseConv2dNativeBackpropFilter, { x, dy }, forFilter), dw, filter.shape);
      });
    },
  );

  it("fused with bias and ReLU, stride larger than the filter", () => {
    tf.tidy(() => {
      const x = random(1, 5, 5, 2) as tf.Tensor4D;
      const filter = random(2, 2, 2, 3) as tf.Tensor4D;
      const bias = random(3) as tf.Tensor1D;
      const attrs: ConvAttrs = { strides: 3, pad: "same" };
      const [xs, ws, bs] = [x.dataSync(), filter.dataSync(), bias.dataSync()];
      const sums = zeros([1, 2, 2, 3]).map((_, i) => bs[i % 3]);
      eachProduct(x.shape, filter.shape, attrs, false, (xAt, wAt, yAt) => {
        sums[yAt] += xs[xAt] * ws[wAt];
      });
      const y = tf.fused.conv2d({ x, filter, bias, strides: 3, pad: "same", activation: "relu" });
      expectClose(
        y,
        sums.map((value) => Math.max(0, value)),
        [1, 2, 2, 3],
      );
    });
  });

  it("says that channels come last", () => {
    tf.tidy(() => {
      const attrs = { strides: 1, pad: "same", dataFormat: "NCHW", filterShape: [3, 3, 2, 3] };
      const inputs = { x: random(1, 2, 4, 4), dy: random(1, 3, 4, 4) };
      expect(() => kernel(tf.Conv2DBackpropFilter, inputs, attrs)).toThrow("channels last");
    });
  });
});

describe("max pooling's gradient on wasm", () => {
  const pools = cases.filter(
    ({ window, strides, pad }) =>
      typeof pad === "string" || (pad === 1 && window[0] > 1 && window[0] === window[1] && strides[0] === strides[1]),
  );
  it.each(pools.map((c) => [title(c), c] as const))("%s", (_title, { size, window, strides, pad }) => {
    tf.tidy(() => {
      const input = random(2, ...size, 3);
      const attrs = { filterSize: window, strides, pad };
      const output: tf.Tensor = tf.engine().runKernel(tf.MaxPool, { x: input }, attrs as unknown as tf.NamedAttrMap);
      const dy = random(...output.shape);
      const [xs, dys] = [input.dataSync(), dy.dataSync()];
      const winners = new Map<number, number>();
      eachProduct(input.shape, [...window, 3, 1], { strides, pad }, true, (xAt, _w, yAt) => {
        const best = winners.get(yAt);
        if (best === undefined || xs[xAt] > xs[best]) winners.set(yAt, xAt);
      });
      const dx = zeros(input.shape);
      for (const [yAt, xAt] of winners) dx[xAt] += dys[yAt];
      expectClose(kernel(tf.MaxPoolGrad, { dy, input, output }, attrs), dx, input.shape);
    });
  });
});

describe("average pooling's gradient on wasm", () => {
  const pools = cases.filter(({ pad }) => typeof pad === "string");
  it.each(pools.map((c) => [title(c), c] as const))("%s", (_title, { size, window, strides, pad }) => {
    tf.tidy(() => {
      const input = random(2, ...size, 3);
      const attrs = { filterSize: window, strides, pad };
      const output: tf.Tensor = tf.engine().runKernel(tf.AvgPool, { x: input }, attrs as unknown as tf.NamedAttrMap);
      const dy = random(...output.shape);
      const [xs, dys] = [input.dataSync(), dy.dataSync()];
      const members = new Map<number, number[]>();
      eachProduct(input.shape, [...window, 3, 1], { strides, pad }, true, (xAt, _w, yAt) => {
        members.set(yAt, [...(members.get(yAt) ?? []), xAt]);
      });
      const [y, dx] = [zeros(output.shape), zeros(input.shape)];
      for (const [yAt, pixels] of members) {
        for (const xAt of pixels) {
          y[yAt] += xs[xAt] / pixels.length;
          dx[xAt] += dys[yAt] / pixels.length;
        }
      }
      expectClose(output, y, output.shape);
      expectClose(kernel(tf.AvgPoolGrad, { dy, input }, attrs), dx, input.shape);
    });
  });
});

describe("sums over leading axes on wasm", () => {
  it.each([
    [[4, 5, 6, 3], [0, 1, 2], false],
    [[8, 16, 16, 4], [0, 1, 2], true],
    [[7, 3], [0], false],
    [[512, 5], [0], true],
    [[3, 4, 5], [0], false],
    [[3, 4, 5], [1], false],
    [[3, 4, 5], [0, 1, 2], false],
    [[3, 4, 5], [2], true],
    [[1, 4], [0], false],
  ])("%j over %j, keepDims %s", (shape, axes, keepDims) => {
    tf.tidy(() => {
      const x = random(...shape);
      const exact = (() => {
        const kept = shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
        const strides = tf.util.computeStrides(kept).concat(1);
        const sums = zeros(kept);
        x.dataSync().forEach((value, at) => {
          let rest = at;
          let to = 0;
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            const index = rest % shape[axis];
            rest = (rest - index) / shape[axis];
            if (!axes.includes(axis)) to += index * strides[axis];
          }
          sums[to] += value;
        });
        return { sums, shape: keepDims ? kept : shape.filter((_, axis) => !axes.includes(axis)) };
      })();
      const count = axes.reduce((product, axis) => product * shape[axis], 1);
      const before = tf.memory().numTensors;
      const sum = tf.sum(x, axes, keepDims);
      const mean = tf.mean(x, axes, keepDims);
      expect(tf.memory().numTensors).toBe(before + 2);
      expectClose(
        tf.div(sum, count),
        exact.sums.map((value) => value / count),
        exact.shape,
      );
      expectClose(
        mean,
        exact.sums.map((value) => value / count),
        exact.shape,
      );
    });
  });

  it("keeps int32 sums exact", () => {
    tf.tidy(() => {
      const sum = tf.sum(
        tf.tensor2d(
          [
            [2 ** 24, 1],
            [1, 1],
          ],
          [2, 2],
          "int32",
        ),
        0,
      );
      expect([sum.dtype, ...sum.dataSync()]).toEqual(["int32", 2 ** 24 + 1, 2]);
    });
  });
});

describe("matrix products on wasm", () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("transposes %s and %s", (transposeA, transposeB) => {
    tf.tidy(() => {
      const [m, k, n] = [5, 7, 6];
      const a = random(2, ...(transposeA ? [k, m] : [m, k])) as tf.Tensor3D;
      const b = random(2, ...(transposeB ? [n, k] : [k, n])) as tf.Tensor3D;
      const [as, bs] = [a.dataSync(), b.dataSync()];
      const y = zeros([2, m, n]);
      for (let batch = 0; batch < 2; batch++)
        for (let i = 0; i < m; i++)
          for (let j = 0; j < n; j++)
            for (let p = 0; p < k; p++) {
              const aAt = batch * m * k + (transposeA ? p * m + i : i * k + p);
              const bAt = batch * k * n + (transposeB ? j * k + p : p * n + j);
              y[(batch * m + i) * n + j] += as[aAt] * bs[bAt];
            }
      const before = tf.memory().numTensors;
      const product = tf.matMul(a, b, transposeA, transposeB);
      expect(tf.memory().numTensors).toBe(before + 1);
      expectClose(product, y, [2, m, n]);
    });
  });
});

describe("UnsortedSegmentSum on wasm", () => {
  it.each([
    [[5, 3], [5]],
    [
      [2, 3, 4],
      [2, 3],
    ],
    [[6], [6]],
  ])("rows %j by segments %j", (shape, segmentShape) => {
    tf.tidy(() => {
      const x = random(...shape);
      const count = tf.util.sizeFromShape(segmentShape);
      const ids = Array.from({ length: count }, (_, i) => [2, 0, 2, 9, -1, 1][i % 6]);
      const inner = shape.slice(segmentShape.length);
      const size = tf.util.sizeFromShape(inner);
      const expected = zeros([4, ...inner]);
      x.dataSync().forEach((value, at) => {
        const id = ids[Math.floor(at / size)];
        if (id >= 0 && id < 4) expected[id * size + (at % size)] += value;
      });
      const inputs = { x, segmentIds: tf.tensor(ids, segmentShape, "int32") };
      expectClose(kernel(tf.UnsortedSegmentSum, inputs, { numSegments: 4 }), expected, [4, ...inner]);
    });
  });

  it("gives gather a gradient", () => {
    tf.tidy(() => {
      const indices = tf.tensor1d([2, 0, 2], "int32");
      const gradient = tf.grad((x) => tf.sum(tf.gather(x, indices)))(random(4, 2));
      expectClose(gradient, [1, 1, 0, 0, 2, 2, 0, 0], [4, 2]);
    });
  });
});

describe("Einsum on wasm", () => {
  const sizes: Record<string, number> = { a: 2, b: 3, c: 4, d: 5, e: 2 };
  it.each([
    "ab,bc->ac",
    "ab,cb->ca",
    "abc,acd->abd",
    "abc,dec->eadb",
    "abcd,abed->bace",
    "ab,ab->ab",
    "ab,ab->",
    "a,b->ba",
    "abc,cd->d",
    "abc->cab",
    "abc->b",
    "ab->ab",
    "abc,b->ac",
  ])("%s", (equation) => {
    tf.tidy(() => {
      const [left, result] = equation.split("->");
      const terms = left.split(",");
      const tensors = terms.map((axes) => random(...[...axes].map((letter) => sizes[letter])));
      const letters = [...new Set(left.replace(",", ""))];
      const shape = [...result].map((letter) => sizes[letter]);
      const expected = zeros(shape);
      const index: Record<string, number> = {};
      const at = (axes: string) => [...axes].reduce((flat, letter) => flat * sizes[letter] + index[letter], 0);
      const data = tensors.map((tensor) => tensor.dataSync());
      const loop = (depth: number): void => {
        if (depth === letters.length) {
          expected[at(result)] += terms.reduce((product, axes, i) => product * data[i][at(axes)], 1);
          return;
        }
        for (let i = 0; i < sizes[letters[depth]]; i++) {
          index[letters[depth]] = i;
          loop(depth + 1);
        }
      };
      loop(0);
      const before = tf.memory().numTensors;
      const y = tf.einsum(equation, ...tensors);
      expect(tf.memory().numTensors).toBe(before + 1);
      expectClose(y, expected, shape);
      tensors.forEach((tensor, i) => {
        expect([...tensor.dataSync()]).toEqual([...data[i]]);
      });
    });
  });
});

describe("strided slices on wasm", () => {
  it.each([
    [
      [2, 5, 6, 3],
      [0, 0, 0, 0],
      [2, 5, 6, 3],
      [1, 2, 2, 1],
    ],
    [
      [2, 5, 6, 3],
      [1, 1, 0, 1],
      [2, 5, 6, 3],
      [1, 3, 2, 1],
    ],
    [[7], [5], [0], [-2]],
    [
      [4, 5],
      [3, 4],
      [0, 0],
      [-1, -3],
    ],
    [
      [4, 5],
      [1, 0],
      [3, 5],
      [1, 1],
    ],
    [
      [4, 5],
      [0, 1],
      [4, 5],
      [3, 1],
    ],
    [
      [5, 1, 2],
      [0, 0, 0],
      [5, 1, 2],
      [2, 1, 1],
    ],
  ])("x %j from %j to %j by %j", (shape, begin, end, strides) => {
    tf.tidy(() => {
      const x = random(...shape);
      const xs = x.dataSync();
      const steps = [...tf.util.computeStrides(shape), 1];
      const picks = shape.map((_, axis) => {
        const indices: number[] = [];
        for (let i = begin[axis]; strides[axis] > 0 ? i < end[axis] : i > end[axis]; i += strides[axis])
          indices.push(i);
        return indices;
      });
      const expected: number[] = [];
      const walk = (axis: number, at: number): void => {
        if (axis === shape.length) expected.push(xs[at]);
        else for (const i of picks[axis]) walk(axis + 1, at + i * steps[axis]);
      };
      walk(0, 0);
      const before = tf.memory().numTensors;
      const y = tf.stridedSlice(x, begin, end, strides);
      expect(tf.memory().numTensors).toBe(before + 1);
      expectClose(
        y,
        expected,
        picks.map((indices) => indices.length),
      );
    });
  });

  it("drops and adds axes where it is told to", () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3], "int32");
      const row = tf.stridedSlice(x, [1, 0], [2, 3], [1, 2], 0, 0, 0, 0, 1);
      expect([row.shape, [...row.dataSync()], row.dtype]).toEqual([[2], [4, 6], "int32"]);
      const column = tf.stridedSlice(x, [0, 0, 2], [2, 1, 3], [1, 1, 1], 0, 0, 0, 2, 4);
      expect([column.shape, [...column.dataSync()]]).toEqual([
        [2, 1],
        [3, 6],
      ]);
    });
  });
});
