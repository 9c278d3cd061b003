import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { registerWasmKernels } from "../kernels/wasm/index.ts";
import { gpt } from "./gpt.ts";
import { GptReader } from "./gpt-reader.ts";

const small = { vocabulary: 11, context: 8, dim: 8, depth: 2, heads: 2, seed: 3 };
const text = [1, 5, 2, 9, 9, 0, 3, 7];

/** Logits after every token of a text, all at once. */
function logitsOf(network: ReturnType<typeof gpt>, ids: number[]): number[][] {
  return tf.tidy(() => {
    const logits = network.predict(tf.tensor2d(ids, [1, ids.length], "int32")) as tf.Tensor3D;
    return (logits.arraySync() as number[][][])[0];
  });
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 4);
}

describe.each(["wasm", "cpu"])("on %s", (backend) => {
  beforeAll(async () => {
    registerWasmKernels();
    await tf.setBackend(backend);
  });

  it("does not look ahead", () => {
    const network = gpt(small);
    const whole = logitsOf(network, text);
    for (const [i, row] of logitsOf(network, text.slice(0, 5)).entries()) expectClose(row, whole[i]);
    network.dispose();
  });

  it.each([true, false])("reads token by token what it reads at once (tied %s)", async (tied) => {
    const network = gpt({ ...small, tied, approximation: "none" });
    const whole = logitsOf(network, text);
    const reader = new GptReader(network);
    expectClose(await reader.read(text.slice(0, 3)), whole[2]);
    for (let i = 3; i < text.length; i++) expectClose(await reader.read([text[i]]), whole[i]);
    reader.dispose();
    network.dispose();
  });

  it("goes on with half of what it remembers when a text outgrows the context, and leaks nothing", async () => {
    const before = tf.memory().numTensors;
    const network = gpt(small);
    const own = tf.memory().numTensors;
    const reader = new GptReader(network);
    await reader.read(text);
    const after = await reader.read([4]);
    expectClose(after, logitsOf(network, [...text.slice(-3), 4])[3]);
    const held = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) await reader.read([i % 11]);
    expect(tf.memory().numTensors).toBe(held);
    reader.forget();
    expectClose(await reader.read([6]), logitsOf(network, [6])[0]);
    reader.dispose();
    expect(tf.memory().numTensors).toBe(own);
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses more tokens than it has places for", () => {
    const network = gpt(small);
    expect(() => logitsOf(network, [...text, 1])).toThrow(/a text of 9 tokens, and wpe knows places up to 8/);
    network.dispose();
  });
});
