import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { sinusoidalPositions } from "../ops/index.ts";
import {
  AttentionDecoder,
  type AttentionDecoderConfig,
  CachedSelfAttention,
  CrossAttention,
  InProjection,
  MemoryAttention,
  RotaryPositions,
  SelfAttention,
  SinusoidalPositions,
  seedDropout,
} from "./index.ts";

beforeAll(() => tf.setBackend("cpu"));

const random = (shape: number[], seed = 1) => tf.randomNormal(shape, 0, 1, "float32", seed);

function expectClose(actual: tf.Tensor, expected: tf.Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  const values = expected.dataSync();
  for (const [i, value] of actual.dataSync().entries()) expect(value).toBeCloseTo(values[i], 5);
}

/** Runs it without leaving tensors behind. */
function tidily(body: () => void): void {
  const before = tf.memory().numTensors;
  tf.tidy(body);
  expect(tf.memory().numTensors).toBe(before);
}

describe("SelfAttention", () => {
  it("looks neither ahead nor at padding", () =>
    tidily(() => {
      const qkv = random([2, 5, 12]);
      const changed = tf.add(qkv, tf.tensor([0, 0, 0, 9, 9], [1, 5, 1]));
      const causal = new SelfAttention({ heads: 2, causal: true });
      const first = (x: tf.Tensor) => tf.slice(x, [0, 0, 0], [-1, 3, -1]);
      expectClose(first(causal.apply(changed) as tf.Tensor), first(causal.apply(qkv) as tf.Tensor));
      const padded = new SelfAttention({ heads: 2 });
      const lengths = tf.tensor1d([3, 3], "int32");
      expectClose(first(padded.apply([changed, lengths]) as tf.Tensor), padded.apply(first(qkv)) as tf.Tensor);
    }));

  it("drops weights of its own in training only, the same for the same step", () => {
    const input = tfl.input({ shape: [4, 6] });
    const layer = new SelfAttention({ name: "attention", heads: 2, dropout: 0.5 });
    const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
    tidily(() => {
      const x = random([3, 4, 6]);
      const values = (training: boolean) => [...(model.apply(x, { training }) as tf.Tensor).dataSync()];
      const plain = values(false);
      expect(plain).toEqual([...(new SelfAttention({ heads: 2 }).apply(x) as tf.Tensor).dataSync()]);
      seedDropout(model, 1, 1);
      const dropped = values(true);
      expect(dropped).not.toEqual(plain);
      expect(values(true)).toEqual(dropped);
      seedDropout(model, 1, 2);
      expect(values(true)).not.toEqual(dropped);
    });
  });
});

describe("CachedSelfAttention", () => {
  it.each([undefined, { pairs: "interleaved" }, { pairs: "halves", base: 50 }] as const)(
    "gives, piece by piece, what SelfAttention gives at once, with rotary %j",
    (rotary) =>
      tidily(() => {
        const qkv = random([2, 6, 12]);
        const whole = new SelfAttention({ heads: 2, causal: true, rotary }).apply(qkv) as tf.Tensor;
        const cached = new CachedSelfAttention({ heads: 2, rotary });
        let [keys, values]: tf.Tensor[] = [tf.zeros([2, 0, 4]), tf.zeros([2, 0, 4])];
        const pieces: tf.Tensor[] = [];
        for (const [first, count] of [
          [0, 1],
          [1, 3],
          [4, 2],
        ]) {
          const piece = tf.slice(qkv, [0, first, 0], [-1, count, -1]);
          const [o, ...all] = cached.apply([piece, keys, values]) as tf.Tensor[];
          [keys, values] = all;
          expect(keys.shape).toEqual([2, first + count, 4]);
          pieces.push(o);
        }
        expectClose(tf.concat(pieces, 1), whole);
      }),
  );

  it("computes once for all of its outputs in a model", () => {
    const [qkv, keys, values] = [6, 2, 2].map((width) => tfl.input({ shape: [null, width] }));
    const layer = new CachedSelfAttention({ heads: 1 });
    const [o, ...all] = layer.apply([qkv, keys, values]) as tfl.SymbolicTensor[];
    const sum = tfl.layers.activation({ activation: "relu" }).apply(o) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: [qkv, keys, values], outputs: [sum, ...all] });
    let products = 0;
    const { kernelFunc } = tf.getKernel("BatchMatMul", "cpu") as tf.KernelConfig;
    const count = (func: tf.KernelFunc) => {
      tf.unregisterKernel("BatchMatMul", "cpu");
      tf.registerKernel({ kernelName: "BatchMatMul", backendName: "cpu", kernelFunc: func });
    };
    count((call) => {
      products++;
      return kernelFunc(call);
    });
    try {
      tidily(() => {
        const given = [random([1, 2, 6]), random([1, 3, 2]), random([1, 3, 2])];
        for (const step of [1, 2]) {
          const results = model.apply(given) as tf.Tensor[];
          expect(results.map(({ shape }) => shape)).toEqual([
            [1, 2, 2],
            [1, 5, 2],
            [1, 5, 2],
          ]);
          for (const result of results) expect(result.dataSync().every(Number.isFinite)).toBe(true);
          expect(products).toBe(2 * step);
          tf.dispose(results);
        }
      });
    } finally {
      count(kernelFunc);
    }
    model.dispose();
  });
});

describe("MemoryAttention", () => {
  it("is CrossAttention between projections by the parts of one weight", () => {
    const layer = new MemoryAttention({ heads: 2 });
    tf.tidy(() => layer.apply(tf.zeros([1, 1, 4])) as tf.Tensor);
    tidily(() => {
      const [x, memory] = [random([2, 3, 4]), random([2, 5, 4], 2)];
      const lengths = tf.tensor1d([5, 2], "int32");
      const [weight, bias] = layer.weights;
      weight.write(random([4, 12], 3));
      bias.write(random([12], 4));
      const projected = (tokens: tf.Tensor, first: number, count: number) => {
        const W = tf.slice(weight.read(), [0, first], [4, count]) as tf.Tensor2D;
        const rows = tf.matMul(tf.reshape(tokens, [-1, 4]) as tf.Tensor2D, W);
        return tf.reshape(tf.add(rows, tf.slice(bias.read(), [first], [count])), [2, -1, count]);
      };
      const kv = layer.apply(memory) as tf.Tensor;
      expectClose(kv, projected(memory, 4, 8));
      const expected = new CrossAttention({ heads: 2 }).apply([projected(x, 0, 4), kv, lengths]) as tf.Tensor;
      expectClose(layer.apply([x, kv, lengths]) as tf.Tensor, expected);
    });
    layer.dispose();
  });

  it("says with which weights it adds values up", () => {
    const layer = new MemoryAttention({ heads: 2 });
    tf.tidy(() => layer.apply(tf.zeros([1, 1, 4])) as tf.Tensor);
    tidily(() => {
      for (const [i, weight] of layer.weights.entries()) weight.write(random(weight.shape as number[], i));
      const x = random([2, 3, 4]);
      const kv = random([2, 5, 8], 2);
      const lengths = tf.tensor1d([5, 2], "int32");
      const weights = layer.weightsOf(x, kv, lengths); // [2, heads, 3, 5]
      const values = tf.transpose(tf.reshape(tf.slice(kv, [0, 0, 4]), [2, 5, 2, 2]), [0, 2, 1, 3]);
      const sums = tf.reshape(tf.transpose(tf.matMul(weights, values), [0, 2, 1, 3]), [2, 3, 4]);
      expectClose(layer.apply([x, kv, lengths]) as tf.Tensor, sums);
    });
    layer.dispose();
  });
});

describe("AttentionDecoder", () => {
  it.each<Partial<AttentionDecoderConfig>>([
    { score: "additive" },
    { score: "general" },
    { score: "dot", cell: "gru" },
    { score: "additive", style: "luong" },
    { score: "general", style: "luong" },
    { score: "dot", style: "luong", inputFeeding: false },
  ])("says with which weights it adds its memory up: %j", (config) => {
    const d = 4;
    const layer = new AttentionDecoder({ units: d, bridge: false, ...config });
    const before = tf.memory().numTensors;
    const x = random([2, 3, 2]);
    const memory = { values: random([2, 5, d], 2), keys: random([2, 5, d], 3), lengths: tf.tensor1d([5, 2], "int32") };
    const given = [x, memory.values, memory.keys, memory.lengths];
    tf.tidy(() => {
      layer.apply(given);
      for (const [i, weight] of layer.weights.entries()) weight.write(random(weight.shape as number[], 5 + i));
    });
    // Luong's output is tanh of this by [context; state]: the context alone.
    const pick = (name: string, value: tf.Tensor) =>
      layer.weights.find((weight) => weight.name.includes(name))?.write(value);
    tf.tidy(() => {
      pick("combine.weight", tf.concat([tf.eye(d), tf.zeros([d, d])], 0));
      pick("combine.bias", tf.zeros([d]));
      const output = layer.apply(given) as tf.Tensor;
      const weights = layer.weightsOf(x, memory, layer.firstState(2, []));
      const contexts = tf.matMul(weights, memory.values); // [2, 3, d]
      expect(weights.shape).toEqual([2, 3, 5]);
      if (config.style === "luong") expectClose(output, tf.tanh(contexts));
      else expectClose(tf.slice(output, [0, 0, d]), contexts);
    });
    tf.dispose([x, ...Object.values(memory)]);
    layer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("positions", () => {
  it.each([new SinusoidalPositions({ scale: 2 }), new RotaryPositions({ heads: 2, pairs: "halves" })])(
    "after a past go on where it ended ($name)",
    (layer) =>
      tidily(() => {
        const x = random([2, 5, 8]);
        const whole = layer.apply(x) as tf.Tensor;
        const last = layer.apply([tf.slice(x, [0, 3, 0], [-1, 2, -1]), tf.zeros([2, 3, 1])]) as tf.Tensor;
        expectClose(last, tf.slice(whole, [0, 3, 0], [-1, 2, -1]));
      }),
  );

  it("are those of the op", () =>
    tidily(() => {
      const x = random([2, 5, 8]);
      expectClose(
        new SinusoidalPositions({ scale: 2 }).apply(x) as tf.Tensor,
        sinusoidalPositions({ x }, { scale: 2 }),
      );
    }));
});

it.each([
  new SelfAttention({ name: "a", heads: 2, causal: true, dropout: 0.1, rotary: { pairs: "halves" } }),
  new SelfAttention({ name: "a", heads: 2 }),
  new CachedSelfAttention({ name: "a", heads: 2, rotary: { base: 50 } }),
  new CrossAttention({ name: "a", heads: 2, dropout: 0.1 }),
  new MemoryAttention({ name: "a", heads: 2 }),
  new InProjection({ name: "a", units: 6 }),
  new SinusoidalPositions({ name: "a", scale: 3 }),
  new RotaryPositions({ name: "a", heads: 2, pairs: "halves", base: 50 }),
])("is rebuilt by its configuration (%#)", (layer) => {
  const config = JSON.parse(JSON.stringify(layer.getConfig()));
  const type = layer.constructor as unknown as {
    fromConfig<T>(type: unknown, config: tf.serialization.ConfigDict): T;
  };
  const copy = type.fromConfig<tfl.layers.Layer>(layer.constructor, config);
  expect(copy.getClassName()).toBe(layer.getClassName());
  expect(JSON.parse(JSON.stringify(copy.getConfig()))).toEqual(config);
});
