import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rougeL } from "./rouge.ts";

const pairs: { reference: string; hypothesis: string; f: number }[] = JSON.parse(
  readFileSync(new URL("./fixtures/rouge.json", import.meta.url), "utf8"),
);

describe("rougeL", () => {
  it("is the reference's of each pair, and the mean of several", () => {
    for (const { reference, hypothesis, f } of pairs) {
      expect(rougeL([hypothesis], [reference]), hypothesis).toBeCloseTo(100 * f, 9);
    }
    const [ours, theirs] = [pairs.map(({ hypothesis }) => hypothesis), pairs.map(({ reference }) => reference)];
    expect(rougeL(ours, theirs)).toBeCloseTo((100 * pairs.reduce((sum, { f }) => sum + f, 0)) / pairs.length, 9);
  });

  it("refuses counts that differ, and none", () => {
    expect(() => rougeL(["a"], [])).toThrow(/^1 summaries and 0 references/);
    expect(() => rougeL([], [])).toThrow(/^0 summaries/);
  });
});
