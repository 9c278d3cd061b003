import { describe, expect, it } from "vitest";
import { testRandom } from "../test/support.ts";
import { classesOf, evaluationTexts, labelled, labelledBatches } from "./labelled-texts.ts";
import type { LabelledTextBatch } from "./types.ts";

/** Text i has i % 4 + 1 tokens of 10 + i, and class i % 3. */
const set = {
  texts: Array.from({ length: 10 }, (_, i) => new Int32Array((i % 4) + 1).fill(10 + i)),
  labels: Int32Array.from({ length: 10 }, (_, i) => i % 3),
};
const options = { set, pad: 0, batchSize: 4 };

const all = async (batches: AsyncIterable<LabelledTextBatch>) => {
  const list: LabelledTextBatch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
};

/** Which text each row is, after a check of its tokens, padding and label. */
function rowsOf({ size, ids, lengths, labels }: LabelledTextBatch): number[] {
  const tokens = ids.length / size;
  expect(Math.max(...lengths)).toBe(tokens);
  return Array.from({ length: size }, (_, row) => {
    const text = ids[row * tokens] - 10;
    const expected = [...set.texts[text], ...new Array(tokens - lengths[row]).fill(0)];
    expect([...ids.slice(row * tokens, (row + 1) * tokens)]).toEqual(expected);
    expect(labels[row]).toBe(text % 3);
    return text;
  });
}

const ascending = (numbers: number[]) => numbers.toSorted((a, b) => a - b);

describe("labelled texts", () => {
  it("come once an epoch, in an order of its own, wherever it is entered", async () => {
    const batches = labelledBatches({ ...options, random: testRandom });
    expect(batches.batchesPerEpoch).toBe(3);
    const [first, second] = [await all(batches.epoch(0)), await all(batches.epoch(1))];
    expect(ascending(first.flatMap(rowsOf))).toEqual([...set.texts.keys()]);
    expect(second.flatMap(rowsOf)).not.toEqual(first.flatMap(rowsOf));
    expect(await all(batches.epoch(1, 2))).toEqual(second.slice(2));
  });

  it("come with their like in a test", async () => {
    const batches = await all(evaluationTexts(options));
    expect(ascending(batches.flatMap(rowsOf))).toEqual([...set.texts.keys()]);
    expect(batches.flatMap(({ lengths }) => [...lengths])).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 4, 4]);
  });

  it("have classes in the order of their names", () => {
    const lines = { source: ["a", "b", "c"], target: ["yes", "no", "yes"] };
    expect(classesOf([lines], "x")).toEqual(["no", "yes"]);
    expect(labelled(lines, ["no", "yes"]).labels).toEqual(Int32Array.of(1, 0, 1));
  });

  it("say what is wrong with labels", () => {
    const lines = (count: number) => ({ source: [], target: Array.from({ length: count }, (_, i) => `${i}`) });
    expect(() => classesOf([lines(1)], "x")).toThrow(/^x has 1 different label\(s\): expected 2 to 1000/);
    expect(() => classesOf([lines(1001)], "x")).toThrow(/^x has 1001 different/);
    expect(() => labelledBatches({ ...options, batchSize: 0, random: testRandom })).toThrow(/batch size 0/);
  });
});
