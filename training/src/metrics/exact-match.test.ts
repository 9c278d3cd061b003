import { describe, expect, it } from "vitest";
import { exactMatch } from "./exact-match.ts";

describe("exactMatch", () => {
  it.each([
    ["The  Kitchen.", "kitchen", 100],
    ["an apple, a pear", "apple pear", 100],
    ["kitchens", "kitchen", 0],
    ["another", "other", 0],
    ["", "garden", 0],
  ])("%j for %j", (answer, reference, percent) => {
    expect(exactMatch([answer], [reference])).toBe(percent);
  });

  it("is the share of all, and refuses counts that differ", () => {
    expect(exactMatch(["a b", "b", "c", "d"], ["b", "x", "y", "z"])).toBe(25);
    expect(() => exactMatch(["a"], [])).toThrow(/^1 answers and 0 references/);
  });
});
