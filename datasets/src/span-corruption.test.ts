import { describe, expect, it } from "vitest";
import { testRandom } from "../test/support.ts";
import { corruptedSpans, evaluationSpans, type SpanOptions } from "./span-corruption.ts";
import type { PairBatch } from "./types.ts";

const sentinels = Array.from({ length: 20 }, (_, i) => 1000 + i);
const [bos, eos] = [2000, 2001];
const options: SpanOptions = {
  tokens: Int32Array.from({ length: 900 }, (_, i) => i),
  ...{ window: 40, batchSize: 4, ids: { bos, eos }, sentinels, random: testRandom },
};

async function all(batches: AsyncIterable<PairBatch>): Promise<PairBatch[]> {
  const list: PairBatch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

const rowsOf = (ids: Int32Array, size: number) =>
  Array.from({ length: size }, (_, row) => [
    ...ids.subarray((row * ids.length) / size, ((row + 1) * ids.length) / size),
  ]);

/** The text of a row: its source with what the target says in the place of each sentinel. */
function restored(source: number[], target: number[]): number[] {
  const spans = new Map<number, number[]>();
  let last: number[] = [];
  for (const id of target.slice(1, -1)) {
    if (sentinels.includes(id)) {
      last = [];
      spans.set(id, last);
    } else last.push(id);
  }
  return source.slice(0, -1).flatMap((id) => spans.get(id) ?? [id]);
}

describe("corruptedSpans", () => {
  it("hides 15 % in spans of 3 in the mean, and the targets say what", async () => {
    for (const { source, target, sourceLengths, targetLengths, size } of await all(corruptedSpans(options).epoch(0))) {
      expect([...sourceLengths, ...targetLengths]).toEqual([...Array(size).fill(37), ...Array(size).fill(11)]);
      const [sources, targets] = [rowsOf(source, size), rowsOf(target, size)];
      for (const [row, read] of sources.entries()) {
        const written = targets[row];
        const text = restored(read, written);
        expect(text).toEqual(Array.from({ length: 40 }, (_, i) => text[0] + i));
        expect(read.filter((id) => id >= 1000)).toEqual([1000, 1001, eos]);
        expect(written.filter((id) => id >= 1000)).toEqual([bos, 1000, 1001, 1002, eos]); // 6 tokens in 2 spans
      }
    }
  });

  it("puts spans everywhere, and of every length that there may be", async () => {
    const lengths = new Set<number>();
    const begins = new Set<number>();
    for (let epoch = 0; epoch < 40; epoch++) {
      for (const { source, target, size } of await all(corruptedSpans(options).epoch(epoch))) {
        for (const read of rowsOf(source, size)) begins.add(read.indexOf(1000));
        for (const written of rowsOf(target, size)) lengths.add(written.indexOf(1001) - 2);
      }
    }
    expect([...lengths].sort()).toEqual([1, 2, 3, 4, 5]);
    expect(begins.size).toBeGreaterThan(30);
    expect(Math.min(...begins)).toBe(0);
  });

  it("goes on at any batch with the same batches, and hides others in every epoch", async () => {
    const whole = await all(corruptedSpans(options).epoch(3));
    expect(await all(corruptedSpans(options).epoch(3, 2))).toEqual(whole.slice(2));
    expect(await all(corruptedSpans(options).epoch(4))).not.toEqual(whole);
  });

  it.each([
    [{ window: 400 }, /^pieces of 400 tokens have 20 spans each and need 21 sentinels, and the tokenizer has 20/],
    [{ tokens: options.tokens.subarray(0, 30) }, /^the text has 30 tokens and a context of 39 needs 40/],
  ])("refuses what does not fit in one line (%#)", (given, says) => {
    expect(() => corruptedSpans({ ...options, ...given })).toThrow(says);
  });
});

describe("evaluationSpans", () => {
  it("is the whole text, the same every time, down to a rest of two tokens", async () => {
    const given = { ...options, tokens: options.tokens.subarray(0, 5 * 39 + 2) };
    const [first, again] = [await all(evaluationSpans(given)), await all(evaluationSpans(given))];
    expect(again).toEqual(first);
    const text = first.flatMap(({ source, target, size }) => {
      const targets = rowsOf(target, size);
      return rowsOf(source, size).map((read, row) => restored(read, targets[row]));
    });
    expect(text.map((row) => row.length)).toEqual([40, 40, 40, 40, 40, 2]);
    expect([...new Set(text.flat())]).toEqual([...given.tokens]);
  });
});
