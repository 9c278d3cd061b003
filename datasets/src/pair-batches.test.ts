import { describe, expect, it } from "vitest";
import { testRandom } from "../test/support.ts";
import { bucketedPairs, type EncodedPairs, evaluationPairs } from "./pair-batches.ts";
import type { PairBatch } from "./types.ts";

const ids = { pad: 0, bos: 1, eos: 2 };

/** Pairs of random lengths; every token says which pair it is of. */
function pairsOf(count: number, longest = 30): EncodedPairs {
  const random = testRandom("pairs");
  const sentence = (i: number) => new Int32Array(1 + random.integer(longest)).fill(10 + i);
  const source = Array.from({ length: count }, (_, i) => sentence(i));
  return { source, target: source.map((_, i) => sentence(i)) };
}

const pairs = pairsOf(700);
const options = { pairs, ids, batchSize: 16, random: testRandom };

async function all(batches: AsyncIterable<PairBatch>): Promise<PairBatch[]> {
  const list: PairBatch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

const sorted = (batches: PairBatch[]) => batches.flatMap(({ indices }) => [...indices]).sort((a, b) => a - b);
const everyPair = [...Array(700).keys()];

function expectPadded({ source, sourceLengths, target, targetLengths, size, indices }: PairBatch): void {
  const [s, t] = [source.length / size, target.length / size];
  expect([s, t]).toEqual([Math.max(...sourceLengths), Math.max(...targetLengths)]);
  for (const [row, index] of indices.entries()) {
    const expected = (tokens: number[], width: number) => [...tokens, ...Array(width - tokens.length).fill(ids.pad)];
    const [from, to] = [pairs.source[index], [ids.bos, ...pairs.target[index], ids.eos]];
    expect([...source.subarray(row * s, (row + 1) * s)]).toEqual(expected([...from], s));
    expect([...target.subarray(row * t, (row + 1) * t)]).toEqual(expected(to, t));
    expect([sourceLengths[row], targetLengths[row]]).toEqual([from.length, to.length]);
  }
}

describe("bucketedPairs", () => {
  it.each([{ batchSize: 16 }, { maxTokens: 400, batchSize: undefined }])(
    "shows every pair once an epoch, padded, with %j",
    async (size) => {
      const source = bucketedPairs({ ...options, ...size });
      for (const epoch of [0, 1]) {
        const batches = await all(source.epoch(epoch));
        expect(batches).toHaveLength(source.batchesPerEpoch);
        expect(sorted(batches)).toEqual(everyPair);
        for (const batch of batches) expectPadded(batch);
      }
      expect(source.leftOut).toBe(0);
    },
  );

  it("keeps to the batch size, or to the tokens of either side", async () => {
    for (const { size } of await all(bucketedPairs(options).epoch(0))) expect(size).toBeLessThanOrEqual(16);
    const byTokens = await all(bucketedPairs({ ...options, batchSize: undefined, maxTokens: 400 }).epoch(0));
    const tokens = byTokens.map(({ source, target }) => Math.max(source.length, target.length));
    expect(Math.max(...tokens)).toBeLessThanOrEqual(400);
    expect(Math.max(...byTokens.map(({ size }) => size))).toBeGreaterThan(16);
  });

  it("puts pairs of about one length together: less than a third of the padding of random batches", async () => {
    const padding = (batches: PairBatch[]) =>
      batches.reduce(
        (sum, { source, target, sourceLengths, targetLengths }) =>
          sum +
          Math.max(source.length, target.length) -
          sourceLengths.reduce((total, length, i) => total + Math.max(length, targetLengths[i]), 0),
        0,
      );
    const bucketed = padding(await all(bucketedPairs(options).epoch(0)));
    const longer = Int32Array.from(pairs.source, (tokens, i) => Math.max(tokens.length, pairs.target[i].length + 2));
    let unordered = 0;
    for (let at = 0; at < longer.length; at += 16) {
      const batch = longer.subarray(at, at + 16);
      unordered += Math.max(...batch) * batch.length - batch.reduce((a, b) => a + b);
    }
    expect(bucketed).toBeLessThan(unordered / 3);
  });

  it("goes on at any batch with the same batches, and mixes them anew in every epoch", async () => {
    const whole = await all(bucketedPairs(options).epoch(2));
    for (const first of [1, 20, whole.length]) {
      expect(await all(bucketedPairs(options).epoch(2, first))).toEqual(whole.slice(first));
    }
    const other = await all(bucketedPairs(options).epoch(3));
    expect(other[0].indices).not.toEqual(whole[0].indices);
    const together = (batches: PairBatch[]) => batches.find(({ indices }) => indices.includes(17))?.indices.toSorted();
    expect(together(other)).not.toEqual(together(whole));
  });

  it("leaves out what is longer than it shall be, and says how much", async () => {
    const source = bucketedPairs({ ...options, maxLength: 20 });
    const kept = everyPair.filter((i) => pairs.source[i].length <= 20 && pairs.target[i].length <= 18);
    expect(sorted(await all(source.epoch(0)))).toEqual(kept);
    expect(source.leftOut).toBe(700 - kept.length);
  });

  it("takes pairs that are all of one length, and a single pair", async () => {
    const same = { source: Array(40).fill(Int32Array.of(5)), target: Array(40).fill(Int32Array.of(6)) };
    expect((await all(bucketedPairs({ ...options, pairs: same }).epoch(0))).map(({ size }) => size).sort()).toEqual([
      16, 16, 8,
    ]);
    const one = { source: [Int32Array.of(5)], target: [Int32Array.of(6, 7)] };
    expect(await all(bucketedPairs({ ...options, pairs: one }).epoch(0))).toEqual([
      {
        source: Int32Array.of(5),
        sourceLengths: Int32Array.of(1),
        target: Int32Array.of(1, 6, 7, 2),
        targetLengths: Int32Array.of(4),
        size: 1,
        indices: Int32Array.of(0),
      },
    ]);
  });

  it.each([
    [{ maxTokens: 100 }, /either batchSize or maxTokens/],
    [{ batchSize: undefined }, /either batchSize or maxTokens/],
    [{ batchSize: 0 }, /batch size 0/],
    [{ batchSize: undefined, maxTokens: 0.5 }, /maxTokens 0.5/],
    [{ batchSize: undefined, maxTokens: 20 }, /pair \d+ has \d+ tokens and a batch at most 20: raise maxTokens/],
    [{ maxLength: 1 }, /none of 700 pairs has at most 1 tokens a side/],
    [{ pairs: { source: [], target: [] } }, /none of 0 pairs/],
    [{ pairs: { ...pairs, target: pairs.target.slice(1) } }, /700 source sentences and 699 target sentences/],
    [{ pairs: { source: [new Int32Array()], target: [Int32Array.of(1)] } }, /pair 0 has no tokens in its source/],
  ])("refuses %o", (change, message) => {
    expect(() => bucketedPairs({ ...options, ...change })).toThrow(message);
  });
});

describe("evaluationPairs", () => {
  it.each([{ batchSize: 16 }, { maxTokens: 300, batchSize: undefined }])(
    "gives every pair once, short ones first, with %j",
    async (size) => {
      const batches = await all(evaluationPairs({ pairs, ids, ...size }));
      expect(sorted(batches)).toEqual(everyPair);
      for (const batch of batches) expectPadded(batch);
      const widths = batches.map(({ source, target, size }) => Math.max(source.length, target.length) / size);
      expect(widths).toEqual(widths.toSorted((a, b) => a - b));
      const most = batches.map((batch) => ("maxTokens" in size ? batch.target.length : batch.size));
      expect(Math.max(...most)).toBeLessThanOrEqual("maxTokens" in size ? 300 : 16);
    },
  );
});
