import { describe, expect, it } from "vitest";
import { alignLines, parsePairs } from "./sentence-pairs.ts";

describe("parsePairs", () => {
  it("takes the first two columns", () => {
    expect(parsePairs("Go.\tVa !\tCC-BY 2.0\tmore\n Hi. \tSalut 👋\n", "a.tsv")).toEqual({
      source: ["Go.", "Hi."],
      target: ["Va !", "Salut 👋"],
    });
  });

  it.each([
    ["Go.\tVa !\nHi. Salut.\n", /^a.tsv, line 2 has no tab: expected a sentence, a tab and its translation$/],
    ["Go.\tVa !\n\nHi.\tSalut.", /^a.tsv, line 2 is empty/],
    ["Go.\tVa !\n \t\nHi.\tSalut.", /^a.tsv, line 2 is empty/],
    ["\tVa !", /^a.tsv, line 1 has nothing before its tab/],
    ["Go.\t\t3", /^a.tsv, line 1 has nothing after its tab/],
    ["\n\n", /^a.tsv has no lines/],
  ])("refuses %j", (text, message) => {
    expect(() => parsePairs(text, "a.tsv")).toThrow(message);
  });
});

describe("alignLines", () => {
  it("pairs lines", () => {
    expect(alignLines(["Ein Hund.\nZwei Hunde.\n", "A dog.\nTwo dogs."], ["a.de", "a.en"])).toEqual({
      source: ["Ein Hund.", "Zwei Hunde."],
      target: ["A dog.", "Two dogs."],
    });
  });

  it.each([
    [["a\nb\nc\n", "x\ny\n"], /^a.de has 3 lines and a.en 2: expected as many/],
    [["a\nb\n", "x\n \ny\n"], /^a.en, line 2 is empty/],
    [["", ""], /^a.de has no lines/],
  ] as const)("refuses %j", (texts, message) => {
    expect(() => alignLines(texts, ["a.de", "a.en"])).toThrow(message);
  });
});
