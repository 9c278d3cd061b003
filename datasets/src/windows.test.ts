import { describe, expect, it } from "vitest";
import { testRandom } from "../test/support.ts";
import type { TokenBatch } from "./types.ts";
import { evaluationWindows, windows } from "./windows.ts";

const tokens = Int32Array.from({ length: 1000 }, (_, i) => i);
const options = { tokens, context: 16, batchSize: 8, random: testRandom };

async function all(batches: AsyncIterable<TokenBatch>): Promise<TokenBatch[]> {
  const list: TokenBatch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

const rowsOf = ({ tokens, size, length }: TokenBatch) =>
  Array.from({ length: size }, (_, i) => [...tokens.subarray(i * length, (i + 1) * length)]);

describe("windows", () => {
  it("cuts the text into windows of context + 1 that share one token with the next", async () => {
    const source = windows(options);
    const batches = await all(source.epoch(0));
    expect(batches).toHaveLength(source.batchesPerEpoch);
    expect(source.batchesPerEpoch).toBe(7); // 61 windows
    for (const { size, length, tokens } of batches) expect([size, length, tokens.length]).toEqual([8, 17, 136]);
    const rows = batches.flatMap(rowsOf);
    for (const row of rows) expect(row).toEqual(Array.from({ length: 17 }, (_, i) => row[0] + i));
    const firsts = rows.map(([first]) => first);
    expect(new Set(firsts).size).toBe(56);
    expect(new Set(firsts.map((first) => first % 16)).size).toBe(1);
  });

  it("goes on at any batch with the same batches", async () => {
    const source = windows(options);
    const whole = await all(source.epoch(3));
    for (const first of [1, 4, 7]) expect(await all(windows(options).epoch(3, first))).toEqual(whole.slice(first));
  });

  it("has another order and other cuts in every epoch", async () => {
    const source = windows(options);
    const epochs = await Promise.all([0, 1, 2, 3, 4].map((epoch) => all(source.epoch(epoch))));
    expect(new Set(epochs.map(([{ tokens }]) => tokens.join())).size).toBe(5);
    expect(new Set(epochs.map(([{ tokens }]) => tokens[0] % 16)).size).toBeGreaterThan(1);
  });

  it("stays within the text, wherever the cuts fall, and reaches all of it", async () => {
    for (const length of [17, 18, 32, 33, 48, 49, 50]) {
      const source = windows({ ...options, tokens: tokens.subarray(0, length), batchSize: 1 });
      const seen = new Set<number>();
      for (let epoch = 0; epoch < 400; epoch++) {
        for (const { tokens } of await all(source.epoch(epoch))) for (const token of tokens) seen.add(token);
      }
      expect(seen).toEqual(new Set(tokens.subarray(0, length)));
    }
  });

  it.each([
    [{ tokens: tokens.subarray(0, 16) }, /the text has 16 tokens and a context of 16 needs 17/],
    [{ tokens: new Int32Array() }, /the text has 0 tokens/],
    [{ batchSize: 62 }, /batch size 62 is more than the set's 61 windows/],
    [{ batchSize: 0 }, /batch size 0/],
    [{ context: 0 }, /context 0: give a whole number/],
    [{ context: 1.5 }, /context 1.5/],
  ])("refuses %j", (change, message) => {
    expect(() => windows({ ...options, ...change })).toThrow(message);
  });
});

describe("evaluationWindows", () => {
  it.each([17, 18, 33, 40, 64, 65, 1000])("predicts each of %i tokens but the first once", async (length) => {
    const batches = await all(evaluationWindows({ ...options, tokens: tokens.subarray(0, length) }));
    const predicted = batches.flatMap((batch) => rowsOf(batch).flatMap((row) => row.slice(1)));
    expect(predicted).toEqual([...tokens.subarray(1, length)]);
    for (const { size } of batches) expect(size).toBeLessThanOrEqual(8);
  });
});
