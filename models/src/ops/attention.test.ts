import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../errors.ts";
import { additiveAttention, attend, attention, attentionLean, LARGEST_KEPT, rotary } from "./index.ts";

beforeAll(() => tf.setBackend("cpu"));

const random = (shape: number[], seed = 1) => tf.randomNormal(shape, 0, 1, "float32", seed);

/** Runs it without leaving tensors behind. */
function tidily(body: () => void): void {
  const before = tf.memory().numTensors;
  tf.tidy(body);
  expect(tf.memory().numTensors).toBe(before);
}

describe("attention", () => {
  it("looks at no masked key, whatever it holds", () =>
    tidily(() => {
      const [q, k, v] = [random([2, 3, 4], 1), random([2, 5, 4], 2), random([2, 5, 4], 3)];
      const lengths = tf.tensor1d([2, 5], "int32");
      const huge = tf.tensor([0, 0, 1e20, 1e20, 1e20, 0, 0, 0, 0, 0], [2, 5, 1]);
      for (const op of [attention, attentionLean]) {
        const plain = op({ q, k, v, lengths }, { heads: 2 }).dataSync();
        const other = op({ q, k: tf.add(k, huge), v: tf.sub(v, huge), lengths }, { heads: 2 }).dataSync();
        expect(other).toEqual(plain);
        const short = op(
          { q, k: tf.slice(k, [0, 0, 0], [-1, 2, -1]), v: tf.slice(v, [0, 0, 0], [-1, 2, -1]) },
          { heads: 2 },
        );
        for (let i = 0; i < 12; i++) expect(plain[i]).toBeCloseTo(short.dataSync()[i], 5);
      }
    }));

  it("gives 0 to a query whose keys are all masked, and no gradient", () =>
    tidily(() => {
      const [q, k] = [random([1, 3, 2]), random([1, 2, 2], 2)];
      for (const op of [attention, attentionLean]) {
        const f = (x: tf.Tensor) => op({ q: x, k, v: k, lengths: tf.tensor1d([0], "int32") });
        expect([...f(q).dataSync()]).toEqual(Array(6).fill(0));
        expect([...tf.grad(f)(q).dataSync()].map(Math.abs)).toEqual(Array(6).fill(0));
        const causal = op({ q, k, v: k }, { causal: true }).arraySync() as number[][][];
        expect(causal[0][0]).toEqual([0, 0]);
        expect(causal[0][1]).toEqual((tf.slice(k, [0, 0, 0], [1, 1, 2]).arraySync() as number[][][])[0][0]);
      }
    }));

  it("of causal queries after cached keys is the last part of all", () =>
    tidily(() => {
      const [q, k, v] = [1, 2, 3].map((seed) => random([2, 6, 4], seed));
      const all = tf.slice(attention({ q, k, v }, { heads: 2, causal: true }), [0, 4, 0], [-1, 2, -1]).dataSync();
      const last = attention({ q: tf.slice(q, [0, 4, 0], [-1, 2, -1]), k, v }, { heads: 2, causal: true }).dataSync();
      for (const [i, value] of all.entries()) expect(last[i]).toBeCloseTo(value, 6);
    }));

  it("in the lean form never holds as much as P", async () => {
    const tokens = 128;
    const [q, k, v] = [1, 2, 3].map((seed) => random([1, tokens, 2], seed));
    const peak = async (op: typeof attentionLean, attrs: object) => {
      const gradients = tf.grads((...xs: tf.Tensor[]) => op({ q: xs[0], k: xs[1], v: xs[2] }, attrs));
      const profile = await tf.profile(() => tf.tidy(() => tf.dispose(gradients([q, k, v]))) as unknown as tf.Tensor);
      return profile.peakBytes;
    };
    const ofP = 4 * tokens ** 2;
    expect(await peak(attention, {})).toBeGreaterThan(ofP);
    expect(await peak(attentionLean, { blockSize: 8 })).toBeLessThan(ofP);
    tf.dispose([q, k, v]);
  });

  it("is lean from the stated size on, unless it has dropout", () =>
    tidily(() => {
      const used: string[] = [];
      const [q, k] = [tf.zeros([1, 4, 1]), tf.zeros([1, LARGEST_KEPT / 4 + 1, 1])];
      for (const kernelName of ["ZooAttention", "ZooAttentionLean"]) {
        const kernelFunc = () => {
          used.push(kernelName);
          return [q, q, k, k, q].map((tensor) => tf.clone(tensor));
        };
        tf.registerKernel({ kernelName, backendName: "cpu", kernelFunc });
      }
      try {
        attend({ q, k, v: k });
        attend({ q, k, v: k, dropout: tf.ones([1, 1, 1, 1]) });
        attend({ q, k: q, v: q });
      } finally {
        for (const name of ["ZooAttention", "ZooAttentionLean"]) tf.unregisterKernel(name, "cpu");
      }
      expect(used).toEqual(["ZooAttentionLean", "ZooAttention", "ZooAttention"]);
    }));

  it.each<[string, { [name: string]: number[] }, object, RegExp]>([
    ["heads", {}, { heads: 3 }, /3 head\(s\); expected .* a multiple of the heads/],
    ["keys", { k: [2, 5, 3] }, {}, /k \[2,5,3\], v \[2,5,4\]/],
    ["lengths", { lengths: [3] }, {}, /lengths int32 \[3\]; expected int32 \[2\]/],
    ["bias", { bias: [3, 3, 5] }, { heads: 2 }, /bias of shape \[3,3,5\]; expected \[2 or 1, 3, 5\]/],
    ["dropout", { dropout: [2, 3, 5] }, { heads: 2 }, /dropout factors of shape \[2,3,5\]; expected \[2,2,3,5\]/],
  ])("refuses %s that do not fit in one line", (_, other, attrs, message) =>
    tidily(() => {
      const shapes = { q: [2, 3, 4], k: [2, 5, 4], v: [2, 5, 4], ...other };
      const inputs = Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [
          name,
          tf.zeros(shape, name === "lengths" ? "int32" : "float32"),
        ]),
      ) as Parameters<typeof attention>[0];
      for (const op of "dropout" in other ? [attention] : [attention, attentionLean]) {
        expect(() => op(inputs, attrs)).toThrow(InputError);
        expect(() => op(inputs, attrs)).toThrow(message);
      }
    }),
  );
});

describe("additive attention", () => {
  it("gives its weights beside the context", () =>
    tidily(() => {
      const [query, keys, v, values] = [random([2, 4]), random([2, 3, 4], 2), random([4], 3), random([2, 3, 5], 4)];
      const [context, weights] = additiveAttention.all({
        query,
        keys,
        v,
        values,
        lengths: tf.tensor1d([3, 1], "int32"),
      });
      expect(context.shape).toEqual([2, 5]);
      const [first, second] = weights.arraySync() as number[][];
      expect(first.reduce((sum, a) => sum + a, 0)).toBeCloseTo(1, 6);
      expect(second).toEqual([1, 0, 0]);
      const alone = tf.slice(values, [1, 0, 0], [1, 1, 5]).dataSync();
      for (const [i, value] of tf.slice(context, [1, 0], [1, 5]).dataSync().entries())
        expect(value).toBeCloseTo(alone[i], 6);
    }));

  it("refuses what does not fit in one line", () =>
    tidily(() => {
      const [query, keys, v] = [random([2, 4]), random([2, 3, 4]), random([5])];
      expect(() => additiveAttention({ query, keys, v, values: keys })).toThrow(
        /^additive attention got .* v \[5\].*\[d\]/,
      );
    }));
});

describe("rotary positions", () => {
  it.each(["interleaved", "halves"] as const)("make products depend on distances only (%s)", (pairs) =>
    tidily(() => {
      const [q, k] = [random([1, 1, 8], 1), random([1, 1, 8], 2)];
      const product = (i: number, j: number) => {
        const [a, b] = [rotary({ x: q }, { pairs, offset: i }), rotary({ x: k }, { pairs, offset: j })];
        return tf.sum(tf.mul(a, b)).dataSync()[0];
      };
      expect(product(7, 3)).toBeCloseTo(product(4, 0), 4);
      expect(product(7, 3)).not.toBeCloseTo(product(3, 7), 2);
    }),
  );

  it("refuse an odd number of channels of a head", () =>
    tidily(() => {
      expect(() => rotary({ x: tf.zeros([1, 2, 6]) }, { heads: 2 })).toThrow(
        /^rotary positions got x \[1,2,6\] and 2 head/,
      );
    }));
});
